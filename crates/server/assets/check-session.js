"use strict";
// OpenID Connect Session Management 1.0 section 3: a client's page sends "client_id session_state"; the answer is
// "unchanged", "changed" or, where the message makes no sense, "error".
(function () {
  const cookie = document.currentScript.dataset.cookie;

  function browserState() {
    for (const pair of document.cookie.split("; ")) {
      const at = pair.indexOf("=");
      if (at > 0 && pair.slice(0, at) === cookie) return pair.slice(at + 1);
    }
    return "";
  }

  async function hash(text) {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  async function judge(message, origin) {
    if (typeof message !== "string") return "error";
    const space = message.lastIndexOf(" ");
    const client = message.slice(0, space);
    const state = /^([0-9a-f]{64})\.([A-Za-z0-9_-]+)$/.exec(message.slice(space + 1));
    if (space < 1 || !state) return "error";
    const now = await hash(client + " " + origin + " " + browserState() + " " + state[2]);
    return now === state[1] ? "unchanged" : "changed";
  }

  window.addEventListener("message", async (event) => {
    // Section 3.2: "The OP iframe MUST enforce that the caller has the same origin as its parent frame. It MUST reject
    // postMessage requests from any other source origin." Where the browser does not tell the parent's origin, the
    // hash does: it is made with the caller's.
    const parents = window.location.ancestorOrigins;
    if (!event.source || event.origin === "null") return;
    if (parents && parents.length > 0 && parents[0] !== event.origin) return;
    let answer = "error";
    try {
      answer = await judge(event.data, event.origin);
    } catch {
      answer = "error";
    }
    event.source.postMessage(answer, event.origin);
  });
})();
