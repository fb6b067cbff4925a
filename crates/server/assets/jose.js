// Signs, verifies, seals and opens with WebCrypto, in the compact serialization (RFC 7515 section 7.1, RFC 7516 section 7.1).
"use strict";

/* The algorithms that WebCrypto has (RFC 7518 sections 3 to 5). */
const SIGNATURES = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, RS384: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-384" },
  RS512: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" },
  PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 }, PS384: { name: "RSA-PSS", hash: "SHA-384", saltLength: 48 },
  PS512: { name: "RSA-PSS", hash: "SHA-512", saltLength: 64 },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }, ES384: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  ES512: { name: "ECDSA", namedCurve: "P-521", hash: "SHA-512" },
  EdDSA: { name: "Ed25519" },
  HS256: { name: "HMAC", hash: "SHA-256" }, HS384: { name: "HMAC", hash: "SHA-384" }, HS512: { name: "HMAC", hash: "SHA-512" },
};
const CONTENT = {
  A128GCM: { key: 16 }, A256GCM: { key: 32 },
  "A128CBC-HS256": { key: 32, hash: "SHA-256" }, "A256CBC-HS512": { key: 64, hash: "SHA-512" },
};
const OAEP = { "RSA-OAEP": "SHA-1", "RSA-OAEP-256": "SHA-256" };
const WRAP = { "ECDH-ES": 0, "ECDH-ES+A128KW": 16, "ECDH-ES+A256KW": 32 };

/** The algorithms that a signing key fits, the first of them first. */
function signatureAlgs(jwk) {
  const fits = {
    RSA: ["RS256", "PS256", "RS384", "RS512", "PS384", "PS512"], OKP: ["EdDSA"],
    EC: [{ "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" }[jwk.crv]],
  }[jwk.kty] || [];
  return jwk.alg ? fits.filter((alg) => alg === jwk.alg) : fits.filter(Boolean);
}

// Members that bind a key to one algorithm or use are left out: the header says which one is meant.
const bare = ({ alg, use, key_ops, ext, ...jwk }) => jwk;

function supported(table, name, what) {
  if (!table[name]) throw new Error(`WebCrypto in this browser has no ${what} ${name}`);
  return table[name];
}

async function sign(jwk, header, claims) {
  const algorithm = supported(SIGNATURES, header.alg, "signature algorithm");
  const key = await crypto.subtle.importKey("jwk", bare(jwk), algorithm, false, ["sign"]);
  const input = `${encodeJson(header)}.${encodeJson(claims)}`;
  return `${input}.${encode(await crypto.subtle.sign(algorithm, key, utf8.encode(input)))}`;
}

async function verify(token, keys, secret) {
  const [header, payload, signature] = token.split(".");
  const { alg, kid } = decodeJson(header);
  const algorithm = supported(SIGNATURES, alg, "signature algorithm");
  const jwk = alg.startsWith("HS")
    ? { kty: "oct", k: encode(utf8.encode(secret)) }
    : keys.find((one) => one.kid === kid && one.use !== "enc");
  if (!jwk) throw new Error(`the server publishes no key with the kid ${kid}`);
  const key = await crypto.subtle.importKey("jwk", bare(jwk), algorithm, false, ["verify"]);
  return crypto.subtle.verify(algorithm, key, decode(signature), utf8.encode(`${header}.${payload}`));
}

/** RFC 7518 section 4.6.2: one secret from two parties' keys, for `alg` with a length in octets. */
async function agreed(privateKey, publicKey, alg, length) {
  const name = publicKey.algorithm.name;
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name, public: publicKey }, privateKey, null));
  const id = utf8.encode(alg);
  const info = join(number(id.length, 4), id, number(0, 4), number(0, 4), number(length * 8, 4));
  let key = new Uint8Array();
  for (let round = 1; key.length < length; round++) {
    key = join(key, await sha256(join(number(round, 4), shared, info)));
  }
  return key.slice(0, length);
}

const agreement = (jwk) => (jwk.crv === "X25519" ? { name: "X25519" } : { name: "ECDH", namedCurve: jwk.crv });
// WebCrypto wraps keys and no octets: the content key passes as a key for HMAC.
const HMAC_KEY = { name: "HMAC", hash: "SHA-256" };

async function seal(jwk, header, content) {
  const { key: length } = supported(CONTENT, header.enc, "content encryption");
  let key = random(length);
  let encryptedKey = new Uint8Array();
  if (OAEP[header.alg]) {
    const algorithm = { name: "RSA-OAEP", hash: OAEP[header.alg] };
    const to = await crypto.subtle.importKey("jwk", bare(jwk), algorithm, false, ["encrypt"]);
    encryptedKey = new Uint8Array(await crypto.subtle.encrypt(algorithm, to, key));
  } else {
    if (!(header.alg in WRAP)) throw new Error(`WebCrypto in this browser has no key management ${header.alg}`);
    const size = WRAP[header.alg];
    const to = await crypto.subtle.importKey("jwk", bare(jwk), agreement(jwk), false, []);
    const own = await crypto.subtle.generateKey(agreement(jwk), true, ["deriveBits"]);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", own.publicKey);
    header = { ...header, epk: y ? { kty, crv, x, y } : { kty, crv, x } };
    const secret = await agreed(own.privateKey, to, size ? header.alg : header.enc, size || length);
    if (size) {
      const wrapping = await crypto.subtle.importKey("raw", secret, "AES-KW", false, ["wrapKey"]);
      const wrapped = await crypto.subtle.importKey("raw", key, HMAC_KEY, true, ["sign"]);
      encryptedKey = new Uint8Array(await crypto.subtle.wrapKey("raw", wrapped, wrapping, "AES-KW"));
    } else {
      key = secret;
    }
  }
  const aad = encodeJson(header);
  const iv = random(header.enc.includes("CBC") ? 16 : 12);
  const { ciphertext, tag } = await encrypt(header.enc, key, iv, utf8.encode(aad), utf8.encode(content));
  return [aad, encode(encryptedKey), encode(iv), encode(ciphertext), encode(tag)].join(".");
}

async function encrypt(enc, key, iv, aad, content) {
  if (enc.includes("CBC")) {
    const half = key.length / 2;
    const aes = await crypto.subtle.importKey("raw", key.slice(half), "AES-CBC", false, ["encrypt"]);
    const ciphertext = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv }, aes, content));
    return { ciphertext, tag: await tagOf(enc, key.slice(0, half), iv, aad, ciphertext) };
  }
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  const all = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: aad }, aes, content));
  return { ciphertext: all.slice(0, -16), tag: all.slice(-16) };
}

/** RFC 7518 section 5.2.2.1. */
async function tagOf(enc, key, iv, aad, ciphertext) {
  const mac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: CONTENT[enc].hash }, false, ["sign"]);
  const input = join(aad, iv, ciphertext, number(aad.length * 8, 8));
  return new Uint8Array(await crypto.subtle.sign("HMAC", mac, input)).slice(0, key.length);
}

async function open(token, jwk) {
  const [aad, encryptedKey, iv, ciphertext, tag] = token.split(".");
  const header = decodeJson(aad);
  const { key: length } = supported(CONTENT, header.enc, "content encryption");
  let key;
  if (OAEP[header.alg]) {
    const algorithm = { name: "RSA-OAEP", hash: OAEP[header.alg] };
    const own = await crypto.subtle.importKey("jwk", bare(jwk), algorithm, false, ["decrypt"]);
    key = new Uint8Array(await crypto.subtle.decrypt(algorithm, own, decode(encryptedKey)));
  } else {
    if (!(header.alg in WRAP)) throw new Error(`WebCrypto in this browser has no key management ${header.alg}`);
    const size = WRAP[header.alg];
    const own = await crypto.subtle.importKey("jwk", bare(jwk), agreement(jwk), false, ["deriveBits"]);
    const theirs = await crypto.subtle.importKey("jwk", header.epk, agreement(header.epk), false, []);
    key = await agreed(own, theirs, size ? header.alg : header.enc, size || length);
    if (size) {
      const wrapping = await crypto.subtle.importKey("raw", key, "AES-KW", false, ["unwrapKey"]);
      const wrapped = decode(encryptedKey);
      const content = await crypto.subtle.unwrapKey("raw", wrapped, wrapping, "AES-KW", HMAC_KEY, true, ["sign"]);
      key = new Uint8Array(await crypto.subtle.exportKey("raw", content));
    }
  }
  return text(await decrypt(header.enc, key, decode(iv), utf8.encode(aad), decode(ciphertext), decode(tag)));
}

async function decrypt(enc, key, iv, aad, ciphertext, tag) {
  if (enc.includes("CBC")) {
    const half = key.length / 2;
    const wanted = await tagOf(enc, key.slice(0, half), iv, aad, ciphertext);
    if (encode(wanted) !== encode(tag)) throw new Error("the authentication tag does not fit");
    const aes = await crypto.subtle.importKey("raw", key.slice(half), "AES-CBC", false, ["decrypt"]);
    return crypto.subtle.decrypt({ name: "AES-CBC", iv }, aes, ciphertext);
  }
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  return crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: aad }, aes, join(ciphertext, tag));
}
