"""The first picture of a stream, as a process of its own: address in by standard input, JPEG out by standard output."""

from __future__ import annotations

import io
import sys
import time

#: What it returns when there is none: nothing is there, nothing was said in time, or what was said is no stream.
AWAY, LATE, BROKEN = 2, 3, 1
PATIENCE_S = 3.0


def main() -> int:
    """Write the picture; return why there is none. What went wrong is not written: it may name the address."""
    import av

    address = sys.stdin.read().strip()
    began = time.monotonic()
    try:
        with av.open(address, options={"rtsp_transport": "tcp"}, timeout=(PATIENCE_S, PATIENCE_S)) as held:
            for frame in held.decode(video=0):
                out = io.BytesIO()
                frame.to_image().save(out, "JPEG", quality=90)
                sys.stdout.buffer.write(out.getvalue())
                return 0
    except (av.error.ConnectionRefusedError, ConnectionError):
        return AWAY
    except (av.error.TimeoutError, av.error.ExitError, TimeoutError):
        return LATE
    except (av.FFmpegError, OSError, IndexError, ValueError):
        # FFmpeg calls an answer that never came broken data.
        return LATE if time.monotonic() - began >= PATIENCE_S else BROKEN
    return BROKEN


if __name__ == "__main__":
    sys.exit(main())
