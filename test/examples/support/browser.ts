import { expect } from 'vitest'

/** A browser with one cookie, as far as the examples need one. */
export class Browser {
  cookie = ''
  /** The last Set-Cookie line that came. */
  line = ''
  readonly #origin: string

  constructor(port: number) {
    this.#origin = `http://127.0.0.1:${port}`
  }

  /** Resolves when the headers have arrived. Redirects are answered, not followed. */
  async send(method: string, path: string, body?: FormData): Promise<Response> {
    const response = await fetch(this.#origin + path, {
      method,
      headers: { cookie: this.cookie, origin: this.#origin, accept: 'text/html' },
      redirect: 'manual',
      ...(body !== undefined && { body }),
    })
    const [line] = response.headers.getSetCookie()
    if (line !== undefined) this.line = line
    if (line !== undefined) this.cookie = /Max-Age=0/.test(line) ? '' : (line.split(';')[0] ?? '')
    return response
  }

  /** Posts, and follows nothing: the status, and where it leads. */
  async post(path: string): Promise<readonly [number, string]> {
    const response = await this.send('POST', path)
    await response.text()
    const location = new URL(response.headers.get('location') ?? '', response.url)
    return [response.status, location.pathname]
  }

  /** What the first page says. */
  async page(): Promise<unknown> {
    return (await this.send('GET', '/')).json()
  }
}

/** One visit to the small application of the examples. */
export async function visitShop(visitor: Browser): Promise<void> {
  expect(await visitor.page()).toEqual({ views: 1 })
  expect(await visitor.post('/name/ann')).toEqual([303, '/'])
  await visitor.post('/cart/tea')
  await visitor.post('/cart/milk')
  const cart = ['tea', 'milk']
  expect(await visitor.page()).toEqual({ name: 'ann', cart, views: 2 })
  const before = visitor.cookie
  expect(await visitor.post('/login/ann')).toEqual([303, '/'])
  expect(visitor.cookie).not.toBe(before)
  expect(await visitor.page()).toEqual({ user: 'ann', name: 'ann', cart, views: 3 })
  const loggedIn = visitor.cookie
  await visitor.post('/logout')
  expect(visitor.cookie).toBe('')
  visitor.cookie = loggedIn
  expect(await visitor.page()).toEqual({ views: 1 })
}
