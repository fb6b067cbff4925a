// A browser without a screen: cookies, redirects, and the forms that a person fills in.

const FORM = /<form method="post" action="([^"]*)"[^>]*>(.*?)<\/form>/gs
const FIELD = /<input\b[^>]*>/g
const unescaped = (text) =>
  text.replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
const attribute = (tag, name) => {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)
  return found ? unescaped(found[1]) : undefined
}

// The forms of a page: where each goes, and what it holds before anybody types.
export function forms(html) {
  return [...html.matchAll(FORM)].map(([, action, content]) => {
    const fields = {}
    for (const [tag] of content.matchAll(FIELD)) {
      const name = attribute(tag, 'name')
      if (name) fields[name] = attribute(tag, 'value') ?? ''
    }
    return { action: unescaped(action), fields, content }
  })
}

export class Browser {
  cookies = new Map()

  async request(url, body) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { cookie, ...(body && { origin: new URL(url).origin }) }
    const answer = await fetch(url, { method: body ? 'POST' : 'GET', headers, body, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';')
      const [name, ...value] = pair.split('=')
      if (attributes.some((one) => /^\s*max-age=0$/i.test(one))) this.cookies.delete(name)
      else this.cookies.set(name, value.join('='))
    }
    return answer
  }

  // From an address of the provider to the first address of somebody else: what the client receives there, as a URL, or
  // as a Request where it comes by a form. `person` overrides what is typed.
  async goOn(url, person = {}) {
    const provider = new URL(url).origin
    let answer = await this.request(url)
    for (let step = 0; step < 12; step++) {
      const location = answer.headers.get('location')
      if (location) {
        const next = new URL(location, url)
        if (next.origin !== provider) return next
        url = next.href
        answer = await this.request(url)
        continue
      }
      const html = await answer.text()
      const form = forms(html).at(-1)
      if (!form) return Object.assign(new Error(`no way on at ${url}: ${answer.status}`), { html, status: answer.status })
      const action = new URL(form.action, url)
      const body = new URLSearchParams(form.fields)
      if (action.origin !== provider) return new Request(action, { method: 'POST', body })
      if (action.pathname.endsWith('/login')) {
        body.set('username', person.username ?? 'alice')
        body.set('password', person.password ?? 'alice')
      }
      if (action.pathname.endsWith('/consent')) body.set('decision', person.decision ?? 'accept')
      url = action.href
      answer = await this.request(url, body)
    }
    throw new Error(`it does not end: ${url}`)
  }
}
