// Authorization responses as JWTs (JARM): signed, and nested.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as jose from 'jose'
import * as oidc from 'openid-client'
import { Browser } from './browser.js'
import { about, keyPair, registered, request, signedIn } from './rp.js'

const execute = [oidc.useJwtResponseMode]

for (const mode of ['jwt', 'query.jwt', 'form_post.jwt']) {
  test(`signed, ${mode}`, async () => {
    const config = await registered({ authorization_signed_response_alg: 'RS256' }, { execute })
    // The library always asks for "jwt".
    const address = (...all) => {
      const url = oidc.buildAuthorizationUrl(...all)
      url.searchParams.set('response_mode', mode)
      return url
    }
    const { tokens, answer } = await signedIn(config, { address })
    assert.equal(answer instanceof Request, mode === 'form_post.jwt')
    await about(config, tokens)
  })
}

test('nested', async () => {
  const [alg, enc] = ['RSA-OAEP-256', 'A256GCM']
  const encryption = await keyPair.enc(alg)
  const metadata = {
    authorization_signed_response_alg: 'ES256',
    authorization_encrypted_response_alg: alg,
    authorization_encrypted_response_enc: enc
  }
  const config = await registered(metadata, { encryption, execute })
  const { tokens, answer } = await signedIn(config, { parameters: { response_mode: 'jwt' } })
  const response = answer.searchParams.get('response')
  assert.equal(response.split('.').length, 5)
  assert.equal(jose.decodeProtectedHeader(response).kid, encryption.kid)
  assert(oidc.getDecryptedResponses(tokens).authorization_response)
  await about(config, tokens)
})

test('errors too', async () => {
  const config = await registered({ authorization_signed_response_alg: 'RS256' }, { execute })
  const { checks, parameters } = await request({ response_mode: 'jwt', prompt: 'none' })
  const answer = await new Browser().goOn(oidc.buildAuthorizationUrl(config, parameters).href)
  assert.deepEqual([...answer.searchParams.keys()], ['response'])
  await assert.rejects(oidc.authorizationCodeGrant(config, answer, checks), { error: 'login_required' })
})
