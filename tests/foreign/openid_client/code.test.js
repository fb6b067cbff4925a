// Discovery, registration, code with PKCE, client authentication.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oidc from 'openid-client'
import { Browser } from './browser.js'
import { ISSUER, about, keyPair, registered, request, signedIn } from './rp.js'

test('discovery', async () => {
  const config = await oidc.discovery(new URL(ISSUER), 'anybody', undefined, oidc.None(), {
    execute: [oidc.allowInsecureRequests]
  })
  assert.equal(config.serverMetadata().issuer, ISSUER)
  assert(config.serverMetadata().supportsPKCE())
  // RFC 8414 section 3: the same, where OAuth looks for it.
  const other = await oidc.discovery(new URL(ISSUER), 'anybody', undefined, oidc.None(), {
    algorithm: 'oauth2',
    execute: [oidc.allowInsecureRequests]
  })
  assert.equal(other.serverMetadata().token_endpoint, config.serverMetadata().token_endpoint)
})

for (const method of ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'none']) {
  test(`code with PKCE, ${method}`, async () => {
    const config = await registered({ token_endpoint_auth_method: method })
    assert.equal(Boolean(config.clientMetadata().client_secret), method !== 'none')
    const { tokens } = await signedIn(config)
    await about(config, tokens)
  })
}

// With Ed25519 keys the library writes the name of RFC 9864, "Ed25519", and not "EdDSA".
for (const alg of ['RS256', 'PS256', 'ES256', 'ES512']) {
  test(`code with PKCE, private_key_jwt with ${alg}`, async () => {
    const signing = await keyPair.sig(alg)
    const config = await registered(
      { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg },
      { signing }
    )
    assert.equal(config.clientMetadata().client_secret, undefined)
    const { tokens } = await signedIn(config)
    await about(config, tokens)
  })
}

test('a code is worth nothing with another verifier, and nothing twice', async () => {
  const config = await registered()
  const { checks, parameters } = await request()
  const browser = new Browser()
  const answer = await browser.goOn(oidc.buildAuthorizationUrl(config, parameters).href)
  const wrong = { ...checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() }
  await assert.rejects(oidc.authorizationCodeGrant(config, answer, wrong), { error: 'invalid_grant' })
  const again = await signedIn(config, { browser })
  await assert.rejects(oidc.authorizationCodeGrant(config, again.answer, { ...checks, expectedState: oidc.skipStateCheck }), {
    error: 'invalid_grant'
  })
})

test('who declines sends the client access_denied', async () => {
  const config = await registered()
  const { checks, parameters } = await request()
  const answer = await new Browser().goOn(oidc.buildAuthorizationUrl(config, parameters).href, { decision: 'deny' })
  await assert.rejects(oidc.authorizationCodeGrant(config, answer, checks), { error: 'access_denied' })
})
