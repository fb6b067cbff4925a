// Makes key pairs in the browser with WebCrypto. The private part is shown here and offered as a file; only the public JWK goes
// into the form. Files (keys, certificates, tables) are read into the form here, too. Without this script everything else on
// the page works: keys and tables are pasted, and keys are made on the server.
"use strict";

const RSA = (hash) => ({ modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash });
const KINDS = {
  sig: [
    ["RSA 2048 (RS256, PS256)", { name: "RSASSA-PKCS1-v1_5", ...RSA("SHA-256") }],
    ["RSA 4096 (RS256, PS256)", { name: "RSASSA-PKCS1-v1_5", ...RSA("SHA-256"), modulusLength: 4096 }],
    ["P-256 (ES256)", { name: "ECDSA", namedCurve: "P-256" }],
    ["P-384 (ES384)", { name: "ECDSA", namedCurve: "P-384" }],
    ["P-521 (ES512)", { name: "ECDSA", namedCurve: "P-521" }],
    ["Ed25519 (EdDSA)", { name: "Ed25519" }],
  ],
  enc: [
    ["RSA 2048 (RSA-OAEP, RSA-OAEP-256)", { name: "RSA-OAEP", ...RSA("SHA-256") }],
    ["RSA 4096 (RSA-OAEP, RSA-OAEP-256)", { name: "RSA-OAEP", ...RSA("SHA-256"), modulusLength: 4096 }],
    ["P-256 (ECDH-ES)", { name: "ECDH", namedCurve: "P-256" }],
    ["P-384 (ECDH-ES)", { name: "ECDH", namedCurve: "P-384" }],
    ["P-521 (ECDH-ES)", { name: "ECDH", namedCurve: "P-521" }],
    ["X25519 (ECDH-ES)", { name: "X25519" }],
  ],
};
const USES = {
  "RSASSA-PKCS1-v1_5": ["sign", "verify"], ECDSA: ["sign", "verify"], Ed25519: ["sign", "verify"],
  "RSA-OAEP": ["encrypt", "decrypt"], ECDH: ["deriveBits"], X25519: ["deriveBits"],
};
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi"];

// RFC 7468 section 2: DER as text.
function pem(label, bytes) {
  const lines = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).match(/.{1,64}/g).join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

async function pair(use, algorithm) {
  const keys = await crypto.subtle.generateKey(algorithm, true, USES[algorithm.name]);
  const jwk = await crypto.subtle.exportKey("jwk", keys.privateKey);
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  for (const name of ["alg", "ext", "key_ops"]) delete jwk[name];
  const secret = { ...jwk, use, kid: await thumbprint(jwk) };
  const open = Object.fromEntries(Object.entries(secret).filter(([name]) => !PRIVATE.includes(name)));
  return { open, secret, pem: pem("PRIVATE KEY", pkcs8) };
}

function download(label, name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  return element("a", { class: "button quiet small", href: address, download: name }, label);
}

function show(made, use, id) {
  const title = use === "sig" ? "Private signing key" : "Private encryption key";
  const text = JSON.stringify(made.secret, null, 2);
  const section = element("section", { class: "private", "aria-label": title },
    element("h3", {}, title),
    element("p", { class: "hint" }, "Save it now, to where only the application reads it. It has not left this browser, and is gone with this page."),
    element("pre", { class: "code-block wrap", tabindex: "0", id, "data-copy": "the private JWK" }, element("code", {}, text)),
    element("p", { class: "actions" },
      download("Download as JWK", `${made.secret.kid}.jwk.json`, "application/jwk+json", text),
      download("Download as PEM", `${made.secret.kid}.pem`, "application/x-pem-file", made.pem)));
  texts.guard(section, made.secret.kid);
  return section;
}

function choose(use, id) {
  const select = element("select", { id, autocomplete: "off" });
  KINDS[use].forEach(([label], at) => select.append(element("option", { value: String(at) }, label)));
  return select;
}

function maker(place, id, tail, wanted) {
  const said = element("p", { class: "hint", role: "status", id: `${id}-status${tail}` });
  const button = element("button", { type: "button", class: "button quiet", id: `${id}-button${tail}` }, wanted.label);
  const shown = element("div", {});
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.textContent = "Making the key…";
    shown.replaceChildren();
    try {
      for (const one of wanted.keys()) {
        const made = await pair(one.use, one.algorithm);
        document.getElementById(one.target).value = JSON.stringify(made.open, null, 2);
        shown.append(show(made, one.use, `private-${one.use}${tail}`));
      }
      said.textContent = "Made. The public part stands in the form; save the private part before you register it.";
    } catch (error) {
      said.textContent = `This browser cannot make such a key (${error.name}). Choose another kind.`;
    }
    button.disabled = false;
  });
  place.append(element("p", { class: "actions" }, button), said, shown);
}

function one(place) {
  const { target, tail = "" } = place.dataset;
  const usage = document.getElementById(place.dataset.usage);
  const use = () => (usage ? usage.value : place.dataset.use);
  const id = `browser-kind${tail}`;
  const field = element("div", { class: "field" }, element("label", { for: id }, "Algorithm"));
  field.append(choose(use(), id));
  if (usage) usage.addEventListener("change", () => field.lastChild.replaceWith(choose(use(), id)));
  place.append(field);
  const keys = () => [{ use: use(), target, algorithm: KINDS[use()][Number(field.lastChild.value)][1] }];
  maker(place, "make-key", tail, { label: "Make a key in this browser", keys });
}

function both(place) {
  const keys = () => [
    { use: "sig", target: place.dataset.signing, algorithm: KINDS.sig[2][1] },
    { use: "enc", target: place.dataset.encryption, algorithm: KINDS.enc[0][1] },
  ];
  maker(place, "make-keys", "", { label: "Make both in this browser", keys });
}

// X.690 section 8.1: what an element holds stands after its tag and its length, which is one octet or says how many follow.
const content = (der) => der.subarray(der[1] < 0x80 ? 2 : 2 + (der[1] & 0x7f));

// What is in DER, as RFC 7468 labels it. Both are a SEQUENCE that begins with one: that of a public key with an OBJECT
// IDENTIFIER (RFC 5280 section 4.1.2.7), that of a certificate with the version [0] or, without one, an INTEGER (section 4.1).
function label(der) {
  const inner = content(der);
  if (inner[0] !== 0x30) return null;
  return { 0x06: "PUBLIC KEY", 0xa0: "CERTIFICATE", 0x02: "CERTIFICATE" }[content(inner)[0]] || null;
}

function keyText(bytes) {
  if (bytes[0] === 0x30) {
    const kind = label(bytes);
    if (!kind) throw new Error("This is neither a certificate nor a public key. Choose an X.509 certificate, or a public key as SubjectPublicKeyInfo.");
    return pem(kind, bytes);
  }
  const text = plainText(bytes);
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw new Error("This is a private key. Choose its public key: the private one stays with the application.");
  return text;
}

function plainText(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("This is not text in UTF-8.");
  }
}

const FILES = {
  key: { accept: ".json,.jwk,.jwks,.pem,.crt,.cer,.der,.pub", text: keyText, mostKib: 64 },
  table: { accept: ".csv,text/csv", text: plainText, mostKib: 1024 },
};

function file(place) {
  const { kind = "key", tail = "" } = place.dataset;
  const { accept, text, mostKib } = FILES[kind];
  const id = `${kind}-file${tail}`;
  const target = document.getElementById(place.dataset.file);
  const said = element("p", { class: "hint", role: "status", id: `${id}-status` });
  const input = element("input", { type: "file", id, accept, "aria-describedby": `${id}-status` });
  input.addEventListener("change", async () => {
    const chosen = input.files[0];
    said.textContent = "";
    if (!chosen) return;
    try {
      if (chosen.size > mostKib * 1024) throw new Error(`This file is too large: at most ${mostKib} KiB are read.`);
      target.value = text(new Uint8Array(await chosen.arrayBuffer()));
      said.textContent = "Read into the field above.";
    } catch (error) {
      input.value = "";
      said.textContent = error.message;
    }
  });
  place.append(element("div", { class: "field" }, element("label", { for: id }, "Or read it from a file"), input, said));
}

for (const place of document.querySelectorAll("[data-file]")) file(place);
if (window.isSecureContext && window.crypto && crypto.subtle) {
  for (const place of document.querySelectorAll("[data-make=one]")) one(place);
  for (const place of document.querySelectorAll("[data-make=pair]")) both(place);
}
