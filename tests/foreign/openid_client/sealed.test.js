// Nested request objects in, nested ID tokens and UserInfo out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as oidc from 'openid-client'
import { about, assertSealed, keyPair, nested, registered, sealed, signedIn } from './rp.js'

// RFC 9101: signed with the client's key by the library, then encrypted.
const object = (signing, alg, enc) => async (config, parameters) => {
  const url = await oidc.buildAuthorizationUrlWithJAR(config, parameters, { key: signing.key, kid: signing.kid })
  if (alg) url.searchParams.set('request', await nested(config, url.searchParams.get('request'), alg, enc))
  return url
}

const ROWS = [
  { alg: 'RSA-OAEP-256', enc: 'A256GCM', signed: 'RS256' },
  { alg: 'RSA-OAEP', enc: 'A128CBC-HS256', signed: 'ES256' },
  { alg: 'ECDH-ES', crv: 'P-256', enc: 'A128GCM', signed: 'RS256' },
  { alg: 'ECDH-ES+A128KW', crv: 'P-256', enc: 'A256CBC-HS512', signed: 'EdDSA' },
  { alg: 'ECDH-ES+A256KW', crv: 'X25519', enc: 'A256GCM', signed: 'ES256' }
]

for (const { alg, crv, enc, signed } of ROWS) {
  test(`nested both ways: ${signed}, ${alg} ${crv ?? ''} ${enc}`, async () => {
    const [signing, encryption] = [await keyPair.sig(), await keyPair.enc(alg, crv)]
    const config = await registered(
      {
        ...sealed(alg, enc, signed),
        token_endpoint_auth_method: 'private_key_jwt',
        request_object_signing_alg: 'ES256',
        request_object_encryption_alg: alg,
        request_object_encryption_enc: enc,
        require_signed_request_object: true
      },
      { signing, encryption }
    )
    const { tokens } = await signedIn(config, { address: object(signing, alg, enc) })
    await assertSealed(config, tokens, { alg, enc, kid: encryption.kid })
  })
}

test('a request object that is only signed', async () => {
  const signing = await keyPair.sig('PS256')
  const config = await registered({ request_object_signing_alg: 'PS256' }, { signing })
  const { tokens } = await signedIn(config, { address: object(signing) })
  await about(config, tokens)
})

test('who must sign requests cannot send plain ones', async () => {
  const signing = await keyPair.sig()
  const config = await registered({ require_signed_request_object: true }, { signing })
  await assert.rejects(signedIn(config))
})

test('UserInfo that is only signed', async () => {
  const config = await registered({ userinfo_signed_response_alg: 'RS256' })
  const { tokens } = await signedIn(config)
  await about(config, tokens)
})
