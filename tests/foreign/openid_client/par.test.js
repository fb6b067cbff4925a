// Pushed authorization requests (RFC 9126): as parameters, as a signed object, as a nested one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oidc from 'openid-client'
import { about, assertSealed, keyPair, nested, registered, sealed, signedIn } from './rp.js'

const pushed = oidc.buildAuthorizationUrlWithPAR

test('parameters', async () => {
  const config = await registered()
  let address
  const { tokens } = await signedIn(config, { address: async (...all) => (address = await pushed(...all)) })
  assert.deepEqual([...address.searchParams.keys()].sort(), ['client_id', 'request_uri'])
  await about(config, tokens)
})

test('who must push cannot send requests otherwise', async () => {
  const config = await registered({ require_pushed_authorization_requests: true })
  const { tokens } = await signedIn(config, { address: pushed })
  await about(config, tokens)
  await assert.rejects(signedIn(config))
})

for (const seal of [false, true]) {
  test(`a request object, ${seal ? 'nested' : 'signed'}, private_key_jwt`, async () => {
    const [alg, enc] = ['RSA-OAEP-256', 'A256GCM']
    const [signing, encryption] = [await keyPair.sig(), await keyPair.enc(alg)]
    const metadata = { ...sealed(alg, enc), token_endpoint_auth_method: 'private_key_jwt', require_signed_request_object: true }
    const config = await registered(metadata, { signing, encryption })
    const address = async (_, parameters) => {
      const { searchParams } = await oidc.buildAuthorizationUrlWithJAR(config, parameters, { key: signing.key, kid: signing.kid })
      if (seal) searchParams.set('request', await nested(config, searchParams.get('request')))
      return pushed(config, searchParams)
    }
    const { tokens } = await signedIn(config, { address })
    await assertSealed(config, tokens, { alg, enc, kid: encryption.kid })
  })
}

test('what would be refused is refused when it is pushed', async () => {
  const config = await registered()
  const parameters = { response_type: 'code', redirect_uri: 'http://127.0.0.1:1/other', scope: 'openid' }
  await assert.rejects(pushed(config, parameters), { error: 'invalid_request' })
})
