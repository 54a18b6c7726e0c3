// Sounds, made here and not fetched: the server is not heard (two tones, falling), a serious alarm (three, rising),
// and the self-test at the beginning of a shift, which measures that a signal leaves the page. Whether it is loud
// enough in the room only a person can say.
(function () {
  "use strict";
  const TONES = { deaf: [660, 440], alarm: [740, 880, 1046], test: [523, 659, 784] };
  const sound = window.govSound = { played: 0, tested: null };
  let context = null, meter = null, deaf = 0, since = 0;

  function open() {
    if (!context) {
      context = new AudioContext();
      meter = context.createAnalyser();
      meter.connect(context.destination);
    }
    return context.state === "running" ? Promise.resolve() : Promise.race([context.resume(), new Promise(function (_, no) { setTimeout(no, 800, new Error("blocked")); })]);
  }

  sound.play = function (kind) {
    return open().then(function () {
      const from = context.currentTime + 0.02;
      TONES[kind].forEach(function (pitch, i) {
        const tone = context.createOscillator(), volume = context.createGain(), at = from + 0.28 * i;
        tone.frequency.value = pitch;
        volume.gain.setValueAtTime(0.0001, at);
        volume.gain.exponentialRampToValueAtTime(0.5, at + 0.02);
        volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.26);
        tone.connect(volume).connect(meter);
        tone.onended = function () { tone.disconnect(); volume.disconnect(); };
        tone.start(at);
        tone.stop(at + 0.27);
      });
      sound.played += 1;
    });
  };

  // A wall always sounds; another page where somebody switched it on.
  sound.on = function () { return Boolean(document.querySelector(".scene-wall")) || window.localStorage.getItem("gov-sound") === "1"; };

  sound.deaf = function (isDeaf) {
    if (!isDeaf) { clearInterval(deaf); deaf = 0; return; }
    if (deaf || !sound.on()) return;
    since = Date.now();
    let last = 0;
    const cry = function () {
      // At first every five seconds, after five minutes every half a minute: nobody is to switch it off for good.
      if (Date.now() - last < (Date.now() - since < 300000 ? 4500 : 29500)) return;
      last = Date.now();
      sound.play("deaf").catch(function () { document.dispatchEvent(new CustomEvent("gov:mute")); });
    };
    deaf = setInterval(cry, 1000);
    cry();
  };

  // Resolves to "ok" when a signal was measured, "blocked" when the browser lets no page sound before a click, "silent" otherwise.
  sound.test = function () {
    return sound.play("test").then(function () {
      return new Promise(function (done) {
        const wave = new Float32Array(meter.fftSize), until = Date.now() + 1200;
        (function listen() {
          meter.getFloatTimeDomainData(wave);
          if (wave.some(function (v) { return Math.abs(v) > 0.05; })) return done("ok");
          if (Date.now() > until) return done("silent");
          setTimeout(listen, 20);
        })();
      });
    }, function () { return "blocked"; }).then(function (told) {
      sound.tested = { told: told, at: Date.now() };
      document.dispatchEvent(new CustomEvent("gov:sound", { detail: sound.tested }));
      return told;
    });
  };
})();
