// What comes after the login: refresh, introspection, revocation.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oidc from 'openid-client'
import { about, assertSealed, keyPair, registered, sealed, signedIn } from './rp.js'

const grant_types = ['authorization_code', 'refresh_token']
// OpenID Connect Core section 11: offline access needs consent.
const parameters = { scope: 'openid profile email offline_access', prompt: 'consent' }

test('refresh gives new tokens, the same person and another refresh token', async () => {
  const config = await registered({ grant_types, scope: parameters.scope })
  const { tokens } = await signedIn(config, { parameters })
  assert(tokens.refresh_token)
  const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(fresh.access_token, tokens.access_token)
  assert.notEqual(fresh.refresh_token, tokens.refresh_token)
  assert.equal(fresh.claims().sub, tokens.claims().sub)
  assert.equal(fresh.claims().auth_time, tokens.claims().auth_time)
  await about(config, fresh)
})

test('refresh of a sealed client', async () => {
  const [alg, enc] = ['RSA-OAEP-256', 'A256GCM']
  const [signing, encryption] = [await keyPair.sig(), await keyPair.enc(alg)]
  const metadata = { ...sealed(alg, enc), grant_types, scope: parameters.scope, token_endpoint_auth_method: 'private_key_jwt' }
  const config = await registered(metadata, { signing, encryption })
  const { tokens } = await signedIn(config, { parameters })
  const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  await assertSealed(config, fresh, { alg, enc, kid: encryption.kid })
})

test('introspection tells a living token from a revoked one', async () => {
  const config = await registered({ grant_types, scope: parameters.scope })
  const { tokens } = await signedIn(config, { parameters })
  const alive = await oidc.tokenIntrospection(config, tokens.access_token)
  assert.equal(alive.active, true)
  assert.equal(alive.sub, tokens.claims().sub)
  await oidc.tokenRevocation(config, tokens.access_token)
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).active, false)
  await assert.rejects(about(config, tokens))
})

test('a revoked refresh token is worth nothing', async () => {
  const config = await registered({ grant_types, scope: parameters.scope })
  const { tokens } = await signedIn(config, { parameters })
  await oidc.tokenRevocation(config, tokens.refresh_token, { token_type_hint: 'refresh_token' })
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' })
})
