// A relying party made of `openid-client`, which registers itself.

import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import * as jose from 'jose'
import * as oidc from 'openid-client'
import { Browser } from './browser.js'

// Node.js 18 has them, but not there.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

export const ISSUER = process.env.ISSUER
// Nobody listens there: the browser stops before it.
export const REDIRECT_URI = 'http://127.0.0.1:1/callback'
export const SCOPE = 'openid profile email'

async function pair(alg, use, options) {
  const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true, ...options })
  const jwk = await jose.exportJWK(publicKey)
  const kid = await jose.calculateJwkThumbprint(jwk)
  return { key: privateKey, kid, alg, jwk: { ...jwk, use, kid, alg } }
}

export const keyPair = {
  sig: (alg = 'ES256') => pair(alg, 'sig'),
  enc: (alg = 'RSA-OAEP-256', crv = undefined) => pair(alg, 'enc', crv && { crv })
}

// Metadata of a client to which ID token and UserInfo come signed and encrypted.
export const sealed = (alg, enc, signed = 'RS256') => ({
  id_token_signed_response_alg: signed,
  id_token_encrypted_response_alg: alg,
  id_token_encrypted_response_enc: enc,
  userinfo_signed_response_alg: signed,
  userinfo_encrypted_response_alg: alg,
  userinfo_encrypted_response_enc: enc
})

const METHODS = {
  client_secret_basic: () => oidc.ClientSecretBasic(),
  client_secret_post: () => oidc.ClientSecretPost(),
  client_secret_jwt: () => oidc.ClientSecretJwt(),
  private_key_jwt: ({ signing }) => oidc.PrivateKeyJwt({ key: signing.key, kid: signing.kid }),
  none: () => oidc.None()
}

// A client of its own, registered at the provider. `keys`: its pairs, by use.
export async function registered(metadata = {}, { signing, encryption, execute = [] } = {}) {
  const method = metadata.token_endpoint_auth_method ?? 'client_secret_basic'
  const keys = [signing, encryption].filter(Boolean).map(({ jwk }) => jwk)
  const config = await oidc.dynamicClientRegistration(
    new URL(ISSUER),
    {
      client_name: 'openid-client',
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: method,
      ...(keys.length && { jwks: { keys } }),
      ...metadata
    },
    METHODS[method]({ signing }),
    { execute: [oidc.allowInsecureRequests, ...execute] }
  )
  if (encryption) {
    const { key, kid, alg } = encryption
    const enc = metadata.id_token_encrypted_response_enc ?? metadata.authorization_encrypted_response_enc
    oidc.enableDecryptingResponses(config, [enc], { key, kid, alg })
  }
  return config
}

// The parameters of one authorization request, and what its answer must fit.
export async function request(parameters = {}) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const checks = { pkceCodeVerifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() }
  return {
    checks,
    parameters: {
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: SCOPE,
      state: checks.expectedState,
      nonce: checks.expectedNonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...parameters
    }
  }
}

// Encrypts a request object to the provider.
export async function nested(config, object, alg = 'RSA-OAEP-256', enc = 'A256GCM') {
  const { keys } = await (await fetch(config.serverMetadata().jwks_uri)).json()
  const theirs = keys.find((key) => key.use === 'enc' && key.alg === alg)
  return new jose.CompactEncrypt(new TextEncoder().encode(object))
    .setProtectedHeader({ alg, enc, kid: theirs.kid, cty: 'JWT' })
    .encrypt(await jose.importJWK(theirs, alg))
}

// The way of a whole login, however the request travels: the tokens, and the browser that is signed in.
export async function signedIn(config, { parameters = {}, address = oidc.buildAuthorizationUrl, browser = new Browser() } = {}) {
  const { checks, parameters: all } = await request(parameters)
  const url = await address(config, all)
  const answer = await browser.goOn(url.href)
  assert(answer instanceof URL || answer instanceof Request, answer.html)
  const tokens = await oidc.authorizationCodeGrant(config, answer, checks)
  assert.equal(tokens.claims().nonce, checks.expectedNonce)
  return { tokens, browser, answer }
}

// UserInfo about the person of the ID token.
export async function about(config, tokens) {
  const info = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
  assert.equal(info.name, 'Alice Virtanen')
  return info
}

// The signed ID token, whatever it came in. Of a refresh the library gives it as it is.
export function innerIdToken(tokens) {
  const opened = oidc.getDecryptedResponses(tokens)
  return opened?.id_token?.token_endpoint ?? opened ?? tokens.id_token
}

// Both came nested, made with just these algorithms.
export async function assertSealed(config, tokens, { alg, enc, kid }) {
  const header = jose.decodeProtectedHeader(tokens.id_token)
  assert.deepEqual(
    { parts: tokens.id_token.split('.').length, alg: header.alg, enc: header.enc, kid: header.kid, cty: header.cty },
    { parts: 5, alg, enc, kid, cty: 'JWT' }
  )
  assert.equal(innerIdToken(tokens).split('.').length, 3)
  assert(oidc.getDecryptedResponses(await about(config, tokens)))
}
