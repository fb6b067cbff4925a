// RP-Initiated Logout and Back-Channel Logout.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import * as jose from 'jose'
import * as oidc from 'openid-client'
import { Browser } from './browser.js'
import { ISSUER, innerIdToken, keyPair, registered, request, sealed, signedIn } from './rp.js'

const AFTER = 'http://127.0.0.1:1/signed-out'

async function signOut(config, browser, hint) {
  const parameters = { id_token_hint: hint, post_logout_redirect_uri: AFTER, state: 'bye' }
  return browser.goOn(oidc.buildEndSessionUrl(config, parameters).href)
}

async function assertSignedOut(config, browser) {
  const { checks, parameters } = await request({ prompt: 'none' })
  const answer = await browser.goOn(oidc.buildAuthorizationUrl(config, parameters).href)
  await assert.rejects(oidc.authorizationCodeGrant(config, answer, checks), { error: 'login_required' })
}

// Takes the first logout token that is sent to it.
async function listener() {
  let arrive
  const arrived = new Promise((resolve) => (arrive = resolve))
  const server = createServer(async (request, answer) => {
    arrive({ type: request.headers['content-type'], form: new URLSearchParams(await text(request)) })
    answer.writeHead(200, { 'cache-control': 'no-store' }).end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { uri: `http://127.0.0.1:${server.address().port}/backchannel`, arrived, close: () => server.close() }
}

test('RP-initiated: the browser comes back, signed out', async () => {
  const config = await registered({ post_logout_redirect_uris: [AFTER] })
  const { tokens, browser } = await signedIn(config)
  const back = await signOut(config, browser, tokens.id_token)
  assert.equal(back.href, `${AFTER}?state=bye`)
  await assertSignedOut(config, browser)
})

for (const seal of [false, true]) {
  test(`back-channel: the other client hears of it, ${seal ? 'sealed' : 'signed'}`, async () => {
    const post = await listener()
    try {
      const [alg, enc] = ['RSA-OAEP-256', 'A256GCM']
      const encryption = seal ? await keyPair.enc(alg) : undefined
      const metadata = {
        ...(seal && sealed(alg, enc)),
        backchannel_logout_uri: post.uri,
        backchannel_logout_session_required: true
      }
      const hearing = await registered(metadata, { encryption })
      const leaving = await registered({ post_logout_redirect_uris: [AFTER] })
      const browser = new Browser()
      const heard = await signedIn(hearing, { browser })
      const left = await signedIn(leaving, { browser })
      await signOut(leaving, browser, innerIdToken(left.tokens))

      const { type, form } = await post.arrived
      assert.match(type, /^application\/x-www-form-urlencoded/)
      let token = form.get('logout_token')
      assert.equal(token.split('.').length, seal ? 5 : 3)
      if (seal) {
        const opened = await jose.compactDecrypt(token, encryption.key, {
          keyManagementAlgorithms: [alg],
          contentEncryptionAlgorithms: [enc]
        })
        token = new TextDecoder().decode(opened.plaintext)
      }
      // Back-Channel Logout section 2.6.
      const { client_id } = hearing.clientMetadata()
      const jwks = jose.createRemoteJWKSet(new URL(hearing.serverMetadata().jwks_uri))
      const rules = { issuer: ISSUER, audience: client_id, typ: 'logout+jwt', requiredClaims: ['iat', 'exp', 'jti', 'events'] }
      const { payload } = await jose.jwtVerify(token, jwks, rules)
      assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
      assert.equal(payload.sid, heard.tokens.claims().sid)
      assert.equal(payload.sub, heard.tokens.claims().sub)
      assert(!('nonce' in payload))
    } finally {
      post.close()
    }
  })
}
