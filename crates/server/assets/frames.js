"use strict";
// The end of a logout: goes on as soon as every frame has loaded, or failed to, and after a few seconds in any case.
(function () {
  var onward = document.getElementById("continue");
  if (!onward || !onward.hasAttribute("data-at-once")) return;
  var frames = document.querySelectorAll("iframe.told");
  var waiting = frames.length;
  var left = false;
  function leave() {
    if (left) return;
    left = true;
    window.location.replace(onward.href);
  }
  function loaded() {
    waiting -= 1;
    if (waiting <= 0) leave();
  }
  for (var i = 0; i < frames.length; i += 1) frames[i].addEventListener("load", loaded);
  window.addEventListener("load", leave);
  window.setTimeout(leave, 5000);
})();
