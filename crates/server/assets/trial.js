// Plays a client in the browser: builds the request that it must send, redeems the code, and opens what comes back. Private keys
// and the secret stay in this tab (sessionStorage); only what a client would send is sent, and only to this server.
"use strict";

/* What is shown. */
const $ = (id) => document.getElementById(id);

const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

const badge = (good) => element("span", { class: `badge ${good ? "good" : "bad"}` }, good ? "ok" : "failed");

/** One message or one layer of it: a heading, a sentence, named parts, and checks of [what, good, found]. */
function step(title, sentence, parts, checks) {
  const card = element("section", { class: "card step", "data-step": title }, element("h2", {}, title));
  if (sentence) card.append(element("p", {}, sentence));
  for (const [name, value] of parts || []) {
    card.append(element("h3", { class: "library" }, name),
      element("pre", { class: "code-block", tabindex: "0" }, element("code", {}, pretty(value))));
  }
  if (checks && checks.length) {
    const list = element("ul", { class: "trial-checks" });
    for (const [what, good, found] of checks) {
      list.append(element("li", { "data-ok": String(Boolean(good)), "data-what": what }, badge(good), ` ${what}`, found ? element("span", { class: "muted" }, ` ${found}`) : null));
    }
    card.append(list);
  }
  $("trial-steps").append(card);
  return card;
}

const say = (words) => { $("trial-status").textContent = words; };

const reason = (error) => {
  const words = error.name && error.name !== "Error" ? `${error.name} ${error.message}`.trim() : error.message;
  return words || "The browser gave no reason.";
};

function attend(card) {
  card.setAttribute("tabindex", "-1");
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "center" });
}

function failed(error) {
  attend(step("This did not work", null, [], [[reason(error), false]]));
}

/** What came of the login, above everything that tells why. */
function verdict(error) {
  const wrong = document.querySelector(".step [data-ok=false]");
  const at = wrong && wrong.closest(".step");
  const words = [];
  if (at) words.push(element("p", {}, `Step "${at.dataset.step}" failed. What should hold: ${wrong.dataset.what}.`));
  if (error) words.push(element("p", {}, reason(error)));
  const good = !words.length;
  if (good) words.push(element("p", {}, "Every message was as the client's settings say, and everything that is encrypted was opened."));
  if (at) {
    at.id = "trial-wrong";
    words.push(element("p", { class: "actions" }, element("a", { class: "button quiet small", href: "#trial-wrong" }, "Show this step")));
  }
  const card = element("section", { class: `card verdict ${good ? "good" : "bad"}`, "data-verdict": good ? "good" : "bad" },
    element("h2", {}, good ? "The login worked" : "The login did not work"), ...words);
  $("trial-verdict").replaceChildren(card);
  attend(card);
}

/* What is kept for this tab. */
const KEYS = (client) => `signet-trial-keys:${client}`;
const RUN = (state) => `signet-trial-run:${state}`;
const LAST = "signet-trial-last";
const recall = (name) => JSON.parse(sessionStorage.getItem(name) || "null");
const keep = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));

/* A client assertion (RFC 7523 section 3), or the secret. */
async function authentication(settings, kept) {
  const base = { client_id: settings.client_id };
  const basic = (value) => encodeURIComponent(value).replace(/%20/g, "+");
  switch (settings.auth_method) {
    case "client_secret_basic": {
      const pair = btoa(`${basic(settings.client_id)}:${basic(kept.secret || "")}`);
      return { headers: { authorization: `Basic ${pair}` }, form: {}, shown: { authorization: "Basic (client_id and secret)" } };
    }
    case "client_secret_post":
      return { headers: {}, form: { ...base, client_secret: kept.secret || "" }, shown: { client_secret: "(the secret)" } };
    case "client_secret_jwt":
    case "private_key_jwt": {
      const own = settings.auth_method === "private_key_jwt";
      const jwk = own ? kept.signing : { kty: "oct", k: encode(utf8.encode(kept.secret || "")) };
      if (!jwk) throw new Error("private_key_jwt needs the private signing key");
      const alg = settings.auth_alg || (own ? signatureAlgs(jwk)[0] : "HS256");
      const claims = { iss: settings.client_id, sub: settings.client_id, aud: settings.issuer, jti: encode(random(16)), iat: seconds(), exp: seconds() + 60 };
      const header = own ? { alg, kid: kept.signingKid } : { alg };
      const assertion = await sign(jwk, header, claims);
      const form = { ...base, client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", client_assertion: assertion };
      return { headers: {}, form, shown: { client_assertion: claims } };
    }
    default:
      return { headers: {}, form: base, shown: base };
  }
}

async function post(address, form, auth) {
  const headers = { "content-type": "application/x-www-form-urlencoded", ...auth.headers };
  const body = new URLSearchParams({ ...form, ...auth.form }).toString();
  const reply = await fetch(address, { method: "POST", headers, body, credentials: "omit", cache: "no-store" });
  const answer = await reply.text();
  try { return { status: reply.status, body: JSON.parse(answer) }; } catch { return { status: reply.status, body: answer }; }
}

const published = async (settings) => (await (await fetch(settings.endpoints.jwks, { credentials: "omit" })).json()).keys;

/* The page that starts a login. */
function starting(place) {
  const settings = JSON.parse(place.dataset.settings);
  const kept = recall(KEYS(settings.client_id)) || {};
  const fields = { signing: $("signing-key"), encryption: $("encryption-key"), secret: $("client-secret") };
  if (kept.signing) fields.signing.value = pretty(kept.signing);
  if (kept.encryption) fields.encryption.value = pretty(kept.encryption);
  if (kept.secret && fields.secret) fields.secret.value = kept.secret;
  const choices = choosing(settings);
  const look = async () => {
    const now = await looked(settings, fields);
    choices.fit(now.signing);
    return now;
  };
  for (const field of Object.values(fields)) if (field) field.addEventListener("change", look);
  look();
  // The field has no name and is never sent; Enter in it does nothing.
  if ($("trial-secret")) $("trial-secret").addEventListener("submit", (event) => event.preventDefault());
  $("forget").addEventListener("click", () => {
    // Of logins that were not completed, too.
    for (const name of Object.keys(sessionStorage)) if (name.startsWith("signet-trial-")) sessionStorage.removeItem(name);
    for (const field of Object.values(fields)) if (field) field.value = "";
    look();
  });
  if ($("make-keys")) $("make-keys").addEventListener("click", () => make(settings, fields).catch(failed));
  $("build").addEventListener("click", async () => {
    $("trial-steps").replaceChildren();
    say("Building…");
    try {
      await build(settings, await look(), choices.chosen());
      say("Built. Nothing has been sent to the authorization endpoint yet.");
    } catch (error) { say(""); failed(error); }
  });
  if (new URL(settings.issuer).origin !== location.origin) {
    failed(new Error(`Open the console at ${settings.issuer}/console: the answer arrives there, and this browser keeps the keys by address.`));
  }
}

/** Reads the keys and the secret, says what they are, and keeps them for this tab. */
async function looked(settings, fields) {
  const now = { secret: fields.secret ? fields.secret.value : "" };
  for (const [name, usage] of [["signing", "sig"], ["encryption", "enc"]]) {
    const said = $(`${name}-key-state`);
    said.textContent = "";
    if (!fields[name].value.trim()) continue;
    try {
      const jwk = JSON.parse(fields[name].value);
      if (!jwk.d) throw new Error("it has no private part (\"d\")");
      const print = await thumbprint(jwk);
      const known = settings.keys.find((key) => key.thumbprint === print && key.usage === usage);
      now[name] = jwk;
      now[`${name}Kid`] = known ? known.kid : jwk.kid || print;
      said.textContent = known ? `Registered as ${known.kid}.` : "Not among the client's valid keys of this usage: the server will refuse it.";
      if (usage === "enc" && settings.sealed_to.length && !settings.sealed_to.includes(now.encryptionKid)) {
        said.textContent += ` What comes back is sealed to ${settings.sealed_to.map((kid) => called(settings, kid)).join(" and ")}: this key does not open it.`;
      }
    } catch (error) { said.textContent = `This is no private JWK: ${error.message}.`; }
  }
  keep(KEYS(settings.client_id), now);
  return now;
}

/** A key by its kid, and by what people call it. */
function called(settings, kid) {
  const key = settings.keys.find((one) => one.kid === kid);
  return key ? `key ${kid} ("${key.name}")` : `key ${kid}`;
}

function choosing(settings) {
  const select = (id, label, values, chosen) => {
    const list = element("select", { id, autocomplete: "off" });
    for (const value of values) list.append(element("option", value === chosen ? { value, selected: "" } : { value }, value));
    $("trial-choices").append(element("div", { class: "field" }, element("label", { for: id }, label), list));
    return list;
  };
  const kinds = ["plain", "signed", "nested"];
  const kind = select("request-kind", "Request", kinds, settings.request);
  const sigAlg = select("request-alg", "Signature", Object.keys(SIGNATURES).filter((alg) => !alg.startsWith("HS")), "RS256");
  const keyAlg = select("request-key-alg", "Encryption of the key", settings.encryption_algs, "RSA-OAEP-256");
  const enc = select("request-enc", "Encryption of the content", Object.keys(CONTENT), "A256GCM");
  const way = select("request-way", "Sent", settings.push ? ["pushed"] : ["by the browser", "pushed"], "");
  const types = settings.response_types.filter((type) => type !== "none");
  const type = select("response-type", "response_type", types, types.includes("code") ? "code" : types[0]);
  const scope = element("input", { id: "scope", type: "text", autocomplete: "off", spellcheck: "false" });
  scope.value = settings.scope.filter((one) => ["openid", "profile", "email"].includes(one)).join(" ") || "openid";
  $("trial-choices").append(element("div", { class: "field" }, element("label", { for: "scope" }, "scope"), scope));
  return {
    fit(jwk) {
      if (!jwk) return;
      const allowed = signatureAlgs(jwk).filter((alg) => !settings.signing_algs.length || settings.signing_algs.includes(alg));
      if (allowed.length && !allowed.includes(sigAlg.value)) sigAlg.value = allowed[0];
    },
    chosen: () => ({ kind: kind.value, sigAlg: sigAlg.value, keyAlg: keyAlg.value, enc: enc.value, pushed: way.value === "pushed", type: type.value, scope: scope.value }),
  };
}

/** Makes key pairs for what the client has no key for, keeps the private parts here, and sends the public ones. */
async function make(settings, fields) {
  const RSA = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
  const kinds = {
    rsa: [{ name: "RSASSA-PKCS1-v1_5", ...RSA }, { name: "RSA-OAEP", ...RSA }],
    ec: [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDH", namedCurve: "P-256" }],
    okp: [{ name: "Ed25519" }, { name: "X25519" }],
  }[$("make-kind").value];
  const form = $("trial-register");
  const uses = [["signing", "sig", ["sign", "verify"]], ["encryption", "enc", kinds[1].name === "RSA-OAEP" ? ["encrypt", "decrypt"] : ["deriveBits"]]];
  for (const [at, [name, use, operations]] of uses.entries()) {
    if (!settings.missing.includes(use)) continue;
    const pair = await crypto.subtle.generateKey(kinds[at], true, operations);
    const jwk = { ...bare(await crypto.subtle.exportKey("jwk", pair.privateKey)), use };
    jwk.kid = await thumbprint(jwk);
    fields[name].value = pretty(jwk);
    const { d, p, q, dp, dq, qi, ...open } = jwk;
    form.elements[name].value = JSON.stringify(open);
  }
  await looked(settings, fields);
  form.submit();
}

/** The request, layer by layer, and the way on. */
async function build(settings, kept, chosen) {
  const verifier = encode(random(32));
  const challenge = encode(await sha256(utf8.encode(verifier)));
  const state = encode(random(16));
  const nonce = encode(random(16));
  const parameters = { response_type: chosen.type, client_id: settings.client_id, redirect_uri: settings.redirect_uri, scope: chosen.scope, state, nonce };
  if (chosen.type.includes("code")) Object.assign(parameters, { code_challenge: challenge, code_challenge_method: "S256" });
  step("The parameters", "What the client asks for. The PKCE verifier stays here until the code is redeemed.", [["Parameters", parameters], ["code_verifier", verifier]]);
  let request = parameters;
  if (chosen.kind !== "plain") {
    if (!kept.signing) throw new Error("A request object needs the private signing key (2).");
    const header = { alg: chosen.sigAlg, kid: kept.signingKid, typ: "oauth-authz-req+jwt" };
    const claims = { iss: settings.client_id, aud: settings.issuer, ...parameters, jti: encode(random(16)), iat: seconds(), nbf: seconds(), exp: seconds() + 300 };
    let object = await sign(kept.signing, header, claims);
    step("Signed: the request object", "The parameters as claims, signed with the client's key (RFC 9101).", [["Header", header], ["Claims", claims], ["JWS", object]]);
    if (chosen.kind === "nested") {
      const fitting = (await published(settings)).filter((key) => key.use === "enc" && key.alg === chosen.keyAlg);
      // Every browser has ECDH on P-256; not every one has X25519.
      const jwk = fitting.find((key) => key.crv !== "X25519") || fitting[0];
      if (!jwk) throw new Error(`This server publishes no key for ${chosen.keyAlg}.`);
      const outer = { alg: chosen.keyAlg, enc: chosen.enc, kid: jwk.kid, cty: "JWT" };
      object = await seal(jwk, outer, object);
      step("Encrypted: the sealed object", "The signed object, encrypted to this server's key.", [["Header", decodeJson(object.split(".")[0])], ["JWE", object]]);
    }
    request = { client_id: settings.client_id, request: object };
  }
  if (chosen.pushed) {
    const auth = await authentication(settings, kept);
    const form = request === parameters ? parameters : { request: request.request };
    const reply = await post(settings.endpoints.push, form, auth);
    step("Pushed", "The client sends the request to the server first (RFC 9126).", [["Client authentication", auth.shown], [`Answer (${reply.status})`, reply.body]], [["the server took the request", reply.status === 201]]);
    if (reply.status !== 201) throw new Error("The server refused the pushed request. The audit trail of this client tells why.");
    request = { client_id: settings.client_id, request_uri: reply.body.request_uri };
  }
  const address = `${settings.endpoints.authorize}?${new URLSearchParams(request)}`;
  keep(RUN(state), { settings, state, nonce, verifier, page: location.pathname });
  sessionStorage.setItem(LAST, state);
  const card = step("The way to sign in", "The browser goes here. Sign in as somebody; the answer comes back to this console.", [["Address", new URL(address, location.origin).href]], settings.redirect_registered ? [] : [["the redirect URI is registered (1)", false]]);
  const go = element("a", { class: "button", id: "go", href: address }, "Sign in");
  card.append(element("p", { class: "actions" }, go));
  go.focus();
}

/* The page that the answer comes back to. */
async function answering() {
  const inside = (part) => Object.fromEntries(new URLSearchParams(part.replace(/^[?#]/, "")));
  let answer = { ...inside(location.search), ...inside(location.hash) };
  // The code is good once; it need not stay in the address and in the history.
  history.replaceState(null, "", location.pathname);
  const run = recall(RUN(answer.state || sessionStorage.getItem(LAST)));
  if (!run) throw new Error("This tab has not started this login. Start it on the client's page, and sign in in the same tab.");
  const { settings } = run;
  const kept = recall(KEYS(settings.client_id)) || {};
  $("trial-steps").before(element("p", { class: "actions" }, element("a", { class: "button quiet", href: run.page }, `Back to ${settings.client_name}`)));
  const keys = await published(settings);
  if (answer.response) {
    const opened = await opening("The authorization response", answer.response, settings, kept, keys);
    answer = opened.claims;
  }
  const { response, ...shownAnswer } = answer;
  step("The authorization response", "What the browser brought back.", [["Parameters", { ...shownAnswer, ...(answer.access_token ? { access_token: "(a token)" } : {}) }]], [
    ["state is the one that was sent", answer.state === run.state],
    ["iss is this server (RFC 9207)", answer.iss === settings.issuer, answer.iss],
    ["no error", !answer.error, answer.error_description || answer.error],
  ]);
  sessionStorage.removeItem(RUN(run.state));
  if (answer.error || answer.state !== run.state) return;
  let tokens = answer;
  if (answer.code) tokens = { ...answer, ...(await redeem(answer.code, run)) };
  let subject;
  if (tokens.id_token) {
    const opened = await opening("ID token", tokens.id_token, settings, kept, keys);
    const claims = opened.claims;
    subject = claims.sub;
    step("The ID token's claims", "Who signed in, and how (OpenID Connect Core section 3.1.3.7).", [["Claims", claims]], [
      ["iss is this server", claims.iss === settings.issuer, claims.iss],
      ["aud is this client", [].concat(claims.aud).includes(settings.client_id), String(claims.aud)],
      ["nonce is the one that was sent", claims.nonce === run.nonce],
      ["exp lies ahead", claims.exp > seconds() - 60, new Date(claims.exp * 1000).toISOString()],
      ["it is encrypted as the client's settings say", opened.sealed === Boolean(settings.id_token.encrypted)],
    ]);
  }
  if (tokens.access_token) await claimsOf(tokens.access_token, subject, settings, kept, keys);
}

async function redeem(code, run) {
  const { settings } = run;
  const kept = recall(KEYS(settings.client_id)) || {};
  const auth = await authentication(settings, kept);
  const form = { grant_type: "authorization_code", code, redirect_uri: settings.redirect_uri, code_verifier: run.verifier };
  step("The token request", `The client redeems the code and proves itself: ${settings.auth_method}.`, [["Form", { ...form, ...auth.shown }]]);
  const reply = await post(settings.endpoints.token, form, auth);
  step("The token response", null, [[`Answer (${reply.status})`, reply.body]], [["the server gave tokens", reply.status === 200, reply.body.error_description]]);
  if (reply.status !== 200) throw new Error("The token endpoint refused. The audit trail of this client tells why.");
  return reply.body;
}

/** A token, layer by layer. */
async function opening(what, token, settings, kept, keys) {
  let inside = token;
  const sealed = token.split(".").length === 5;
  if (sealed) {
    const header = decodeJson(token.split(".")[0]);
    const closed = (words) => {
      step(`${what}: encrypted`, "The outer layer.", [["Header", header]], [["it opens with the private key that is here", false]]);
      return new Error(`${what} is sealed to ${called(settings, header.kid)}${words}`);
    };
    if (!kept.encryption) throw closed(", and there is no private encryption key here.");
    try { inside = await open(token, kept.encryption); } catch (error) {
      if (header.kid === kept.encryptionKid) throw closed(`, and its private part does not open it (${reason(error)}).`);
      throw closed(`; you hold ${called(settings, kept.encryptionKid)}. Only the holder of the former can open it.`);
    }
    step(`${what}: encrypted`, "The outer layer.", [["Header", header], ["JWE", token]], [["it opens with the client's key", true, `kid ${header.kid}`]]);
  }
  if (inside.trim().startsWith("{")) return { claims: JSON.parse(inside), sealed, signed: false };
  const header = decodeJson(inside.split(".")[0]);
  const good = header.alg !== "none" && (await verify(inside, keys, kept.secret));
  step(`${what}: signed`, "The inner layer.", [["Header", header], ["JWS", inside]], [["the signature is this server's", good, header.alg === "none" ? "not signed" : `kid ${header.kid}`]]);
  if (!good && header.alg !== "none") throw new Error("The signature does not verify.");
  return { claims: decodeJson(inside.split(".")[1]), sealed, signed: good };
}

async function claimsOf(token, subject, settings, kept, keys) {
  const reply = await fetch(settings.endpoints.userinfo, { headers: { authorization: `Bearer ${token}` }, credentials: "omit", cache: "no-store" });
  const type = reply.headers.get("content-type") || "";
  const body = await reply.text();
  const parts = [[`Answer (${reply.status}, ${type})`, type.includes("json") ? JSON.parse(body) : body]];
  step("The UserInfo response", "Claims about the person, for the access token.", parts, [["the server gave claims", reply.ok]]);
  if (!reply.ok) return;
  const opened = type.includes("jwt") ? await opening("UserInfo", body, settings, kept, keys) : { claims: JSON.parse(body), sealed: false, signed: false };
  const form = settings.userinfo.response_type;
  step("The claims", "What the client knows now.", [["Claims", opened.claims]], [
    ["sub is that of the ID token", !subject || opened.claims.sub === subject],
    [`it is protected as the client's settings say (${form})`, opened.sealed === /encrypted/.test(form) && opened.signed === /signed/.test(form)],
  ]);
}

if (!window.isSecureContext || !window.crypto || !crypto.subtle) {
  failed(new Error("WebCrypto needs https (or localhost)."));
} else if ($("trial")) {
  starting($("trial"));
} else if ($("trial-callback")) {
  say("Opening what came back…");
  answering().then(() => { say("Done."); verdict(); }, (error) => { say(""); verdict(error); });
}
