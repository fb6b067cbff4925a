"use strict";
// Asks the browser for a passkey, or for a new one, and posts its answer. What is asked for stands in the form.
(function () {
  var form = document.getElementById("passkey");
  if (!form) return;
  var problem = document.getElementById("passkey-problem");
  var busy = false;
  function bytes(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (letter) { return letter.charCodeAt(0); });
  }
  function text(buffer) {
    var plain = "";
    new Uint8Array(buffer).forEach(function (byte) { plain += String.fromCharCode(byte); });
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function credentials(list) {
    return (list || []).map(function (one) { return Object.assign({}, one, { id: bytes(one.id) }); });
  }
  function answer(credential) {
    var response = credential.response;
    var told = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) {
      told.attestationObject = text(response.attestationObject);
    } else {
      told.authenticatorData = text(response.authenticatorData);
      told.signature = text(response.signature);
      told.userHandle = response.userHandle ? text(response.userHandle) : null;
    }
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response: told, extensions: {}
    });
  }
  function ask() {
    var options = JSON.parse(form.dataset.options);
    options.challenge = bytes(options.challenge);
    if (form.dataset.kind === "create") {
      options.user.id = bytes(options.user.id);
      options.excludeCredentials = credentials(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = credentials(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }
  function start() {
    if (busy) return;
    busy = true;
    problem.hidden = true;
    Promise.resolve().then(ask).then(function (credential) {
      form.elements.answer.value = answer(credential);
      form.submit();
    }).catch(function () {
      busy = false;
      problem.hidden = false;
    });
  }
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    start();
  });
  if (form.hasAttribute("data-at-once")) start();
})();
