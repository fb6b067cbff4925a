// What the scripts that handle keys have in common: elements, octets, thumbprints.
"use strict";

/* Elements. Nothing is ever written as markup. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/* Octets and text. */
const utf8 = new TextEncoder();
const text = (bytes) => new TextDecoder().decode(bytes);
const encode = (bytes) => {
  let all = "";
  for (const byte of new Uint8Array(bytes)) all += String.fromCharCode(byte);
  return btoa(all).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};
const decode = (segment) =>
  Uint8Array.from(atob(segment.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const encodeJson = (value) => encode(utf8.encode(JSON.stringify(value)));
const decodeJson = (segment) => JSON.parse(text(decode(segment)));
const join = (...parts) => {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.byteLength, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.byteLength; }
  return all;
};
const number = (value, length) => {
  const bytes = new Uint8Array(length);
  for (let at = length - 1; at >= 0; at--) { bytes[at] = value % 256; value = Math.floor(value / 256); }
  return bytes;
};
const random = (length) => crypto.getRandomValues(new Uint8Array(length));
const seconds = () => Math.floor(Date.now() / 1000);
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

// RFC 7638 section 3: the required members in lexicographic order, without white space.
async function thumbprint(jwk) {
  const members = { RSA: ["e", "kty", "n"], EC: ["crv", "kty", "x", "y"], OKP: ["crv", "kty", "x"] }[jwk.kty];
  if (!members) throw new Error(`a key of the kind ${jwk.kty} has no thumbprint`);
  return encode(await sha256(utf8.encode(JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]]))))));
}
