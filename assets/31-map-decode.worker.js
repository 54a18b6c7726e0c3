// Reads tiles beside the page, whose own thread is busy with panels just when a map is wanted: an address comes in,
// the areas' numbers of its pixels go out. Not a script of the page (dashboard/__init__.py leaves it out there).
"use strict";
const SIZE = 256, pen = new OffscreenCanvas(SIZE, SIZE).getContext("2d", { willReadFrequently: true });

self.onmessage = async function (asked) {
  const { key, url } = asked.data;
  try {
    const answer = await fetch(url, { priority: "high" });
    if (!answer.ok) throw new Error(answer.status);
    const picture = await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    pen.clearRect(0, 0, SIZE, SIZE);
    pen.drawImage(picture, 0, 0);
    picture.close();
    const rgba = pen.getImageData(0, 0, SIZE, SIZE).data, ids = new Uint32Array(SIZE * SIZE);
    for (let i = 0, k = 0; i < ids.length; i++, k += 4) ids[i] = (rgba[k] << 16) | (rgba[k + 1] << 8) | rgba[k + 2];
    self.postMessage({ key, ids }, [ids.buffer]);
  } catch (bad) {
    self.postMessage({ key, bad: String(bad) });
  }
};
