// A relying party whose login is signed and sealed both ways: an example to copy from.
//
//     node app.js          runs it
//     node app.js keys     prints the public keys to register, and ends
//
// Settings come from the environment: ISSUER, CLIENT_ID, CLIENT_SECRET, PORT, FOLDER. Without CLIENT_ID it registers
// itself. With CLIENT_SECRET it authenticates by the secret, otherwise by its signing key (private_key_jwt).

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { webcrypto } from 'node:crypto'
import * as jose from 'jose'
import * as oidc from 'openid-client'

// Node.js 18 (Debian 12) has them, but not there. From Node.js 20 on, which the libraries ask for, delete these lines.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

const ISSUER = process.env.ISSUER ?? 'http://localhost:8080'
const PORT = Number(process.env.PORT ?? 3000)
const FOLDER = process.env.FOLDER ?? 'keys'
const REDIRECT_URI = `http://127.0.0.1:${PORT}/callback`

// One algorithm for each purpose. Whatever a message says of itself, nothing else is accepted.
const SIGN = 'ES256' // our request objects and client assertions
const VERIFY = 'RS256' // the provider's ID tokens and UserInfo
const [SEAL, CONTENT] = ['RSA-OAEP-256', 'A256GCM'] // both directions

const read = (file) => JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8'))
const write = (file, value, mode) =>
  writeFileSync(`${FOLDER}/${file}`, `${JSON.stringify(value, null, 1)}\n`, { mode })

// Our key pairs, made on the first start: one signs, the other opens. They never leave the folder.
async function ownKeys() {
  if (!existsSync(`${FOLDER}/private.json`)) {
    mkdirSync(FOLDER, { recursive: true })
    const made = async (use, alg) => {
      const { privateKey } = await jose.generateKeyPair(alg, { extractable: true, modulusLength: 3072 })
      const key = await jose.exportJWK(privateKey)
      return { ...key, use, alg, kid: await jose.calculateJwkThumbprint(key) }
    }
    write('private.json', { keys: [await made('sig', SIGN), await made('enc', SEAL)] }, 0o600)
  }
  const keys = {}
  const open = { keys: [] }
  for (const { kid, use, alg, ...key } of read('private.json').keys) {
    keys[use] = { kid, key: await jose.importJWK(key, alg) }
    const { kty, crv, x, y, n, e } = key
    open.keys.push({ kid, use, alg, kty, crv, x, y, n, e })
  }
  write('public.json', open)
  return { signing: keys.sig, encryption: keys.enc, open: read('public.json') }
}

const own = await ownKeys()
if (process.argv[2] === 'keys') {
  console.log(JSON.stringify(own.open, null, 1))
  process.exit()
}

// How the answers must be protected. The library refuses what is not signed so.
const settings = {
  redirect_uris: [REDIRECT_URI],
  id_token_signed_response_alg: VERIFY,
  userinfo_signed_response_alg: VERIFY
}
const execute = ISSUER.startsWith('http:') ? [oidc.allowInsecureRequests] : [] // for development only

// Who we are there: as configured, as registered at an earlier start, or as registered now.
async function configured() {
  let registered = { client_id: process.env.CLIENT_ID, client_secret: process.env.CLIENT_SECRET }
  if (!registered.client_id) {
    if (!existsSync(`${FOLDER}/registration.json`)) await register()
    registered = read('registration.json')
  }
  const { client_id, client_secret } = registered
  // The audience is the issuer, which every provider accepts; `jti` and times are the library's.
  const proof = client_secret ? oidc.ClientSecretBasic(client_secret) : oidc.PrivateKeyJwt(own.signing)
  const config = await oidc.discovery(new URL(ISSUER), client_id, settings, proof, { execute })
  // Our key opens what is sealed. From here on UserInfo and ID tokens may come sealed; that they do is checked below.
  oidc.enableDecryptingResponses(config, [CONTENT], { ...own.encryption, alg: SEAL })
  return config
}

async function register() {
  const metadata = {
    ...settings,
    client_name: 'Sample in JavaScript',
    jwks: own.open,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: SIGN,
    require_signed_request_object: true,
    request_object_signing_alg: SIGN,
    request_object_encryption_alg: SEAL,
    request_object_encryption_enc: CONTENT,
    id_token_encrypted_response_alg: SEAL,
    id_token_encrypted_response_enc: CONTENT,
    userinfo_encrypted_response_alg: SEAL,
    userinfo_encrypted_response_enc: CONTENT
  }
  const found = await oidc.discovery(new URL(ISSUER), 'nobody yet', {}, oidc.None(), { execute })
  if (!found.serverMetadata().registration_endpoint) {
    console.error(`Have ${FOLDER}/public.json registered, then set CLIENT_ID.`)
    process.exit(1)
  }
  const made = await oidc.dynamicClientRegistration(new URL(ISSUER), metadata, oidc.PrivateKeyJwt(own.signing), { execute })
  write('registration.json', made.clientMetadata(), 0o600)
}

const config = await configured()
const { client_id } = config.clientMetadata()
const logins = new Map() // started, not finished: by cookie. Several processes would share them in a database.

// RFC 9101: the authorization request, signed with our key, then encrypted to the provider's.
async function authorizationUrl(login) {
  const request = {
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile email',
    state: login.state,
    nonce: login.nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(login.verifier),
    code_challenge_method: 'S256'
  }
  const url = await oidc.buildAuthorizationUrlWithJAR(config, request, own.signing)
  const { jwks_uri } = config.serverMetadata()
  // The keys as they are now. A busy application keeps them for some minutes.
  const answer = await fetch(jwks_uri, { redirect: 'error', signal: AbortSignal.timeout(10_000) })
  const theirs = (await answer.json()).keys.find((key) => key.use === 'enc' && key.alg === SEAL)
  const sealed = await new jose.CompactEncrypt(new TextEncoder().encode(url.searchParams.get('request')))
    .setProtectedHeader({ alg: SEAL, enc: CONTENT, kid: theirs.kid, cty: 'JWT' })
    .encrypt(await jose.importJWK(theirs, SEAL))
  url.searchParams.set('request', sealed)
  return url
}

// From the answer to the claims. The library checks state, iss, signatures, times, audience, nonce and sub.
async function finished(url, login) {
  const checks = { expectedState: login.state, expectedNonce: login.nonce, pkceCodeVerifier: login.verifier }
  const tokens = await oidc.authorizationCodeGrant(config, url, checks)
  const claims = tokens.claims()
  const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)
  // What was not sealed was not ours to accept.
  if (!oidc.getDecryptedResponses(tokens)?.id_token?.token_endpoint) throw new Error('the ID token was not sealed')
  if (!oidc.getDecryptedResponses(info)) throw new Error('UserInfo was not sealed')
  if (claims.at_hash !== (await halfHash(tokens.access_token))) throw new Error('at_hash is wrong')
  return { claims, info, sealed: tokens.id_token }
}

// OpenID Connect Core section 3.1.3.6, for an ID token that is signed with a SHA-256 algorithm.
async function halfHash(token) {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return jose.base64url.encode(new Uint8Array(hash, 0, 16))
}

const escaped = (text) => text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)

function page(answer, status, title, parts = {}) {
  const shown = Object.entries(parts).map(([name, text]) => {
    const id = name.toLowerCase().replaceAll(' ', '-')
    return `<h2>${name}</h2><pre id="${id}">${escaped(text)}</pre>`
  })
  answer.writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
  answer.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Sample in JavaScript</title>
<h1>${escaped(title)}</h1>${shown.join('')}<p><a id="login" href="/login">Sign in</a></p></html>`)
}

async function login(answer) {
  for (const [handle, { started }] of logins) if (started < Date.now() - 600_000) logins.delete(handle)
  const handle = oidc.randomState()
  const started = {
    state: oidc.randomState(),
    nonce: oidc.randomNonce(),
    verifier: oidc.randomPKCECodeVerifier(),
    started: Date.now()
  }
  logins.set(handle, started)
  const secure = REDIRECT_URI.startsWith('https:') ? '; Secure' : ''
  const cookie = `login=${handle}; Path=/; HttpOnly; SameSite=Lax${secure}`
  answer.writeHead(302, { location: (await authorizationUrl(started)).href, 'set-cookie': cookie }).end()
}

async function callback(request, url, answer) {
  const handle = /(?:^|; )login=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1]
  const started = logins.get(handle)
  logins.delete(handle) // once
  if (!started) return page(answer, 400, 'This answer belongs to no login of this browser.')
  try {
    const { claims, info, sealed } = await finished(url, started)
    page(answer, 200, `Signed in as ${info.name ?? claims.sub}`, {
      'ID token': JSON.stringify(claims, null, 1),
      UserInfo: JSON.stringify(info, null, 1),
      'ID token as it came': sealed
    })
  } catch (fault) {
    console.error('not accepted:', fault) // for the log, not for the person
    page(answer, 400, 'You are not signed in.')
  }
}

createServer((request, answer) => {
  const url = new URL(request.url, REDIRECT_URI)
  const done = { '/': () => page(answer, 200, 'Not signed in'), '/login': () => login(answer) }
  const act = url.pathname === '/callback' ? () => callback(request, url, answer) : done[url.pathname]
  Promise.resolve(act ? act() : page(answer, 404, 'Not found')).catch((fault) => {
    console.error(fault)
    page(answer, 500, 'Something went wrong.')
  })
}).listen(PORT, '127.0.0.1', () => {
  console.log(JSON.stringify(own.open, null, 1))
  console.log(`${client_id}: http://127.0.0.1:${PORT}/`)
})
