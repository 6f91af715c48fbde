import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { Application, RequestHandler } from '../../src/tornado/index.ts'
import { fetchRaw } from './browser.ts'
import { IN_MEMORY, run } from './running.ts'

let release: (() => void) | undefined
class Slow extends RequestHandler {
  async get() {
    await new Promise<void>((resolve) => {
      release = resolve
    })
    this.write('slow answer')
  }
}

class Quick extends RequestHandler {
  get() {
    this.write('quick')
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

describe('listen', () => {
  test('answers with the port and a URL, and serves this machine only', async () => {
    const app = new Application([['/', Quick]])
    const listening = await app.listen(0 /* loopback by default */)
    expect(listening.address).toBe('127.0.0.1')
    expect(listening.url).toBe(`http://localhost:${listening.port}`)
    expect(listening.server.address()).toMatchObject({ address: '127.0.0.1' })
    expect((await fetchRaw(listening.url)).body).toBe('quick')
    await app.close()
  })

  test('says in one line that a port is taken, and what to do', async () => {
    const { port } = await run([['/', Quick]])
    const other = new Application([['/', Quick]])
    const failure = await other.listen(port, '127.0.0.1').catch((error: unknown) => error)
    expect(failure).toMatchObject({
      code: 'ERR_SESSION_OPTION',
      message: `Port ${port} on 127.0.0.1 is taken. Stop the program that has it, or choose another port.`,
    })
    await other.close()
  })

  test.each([Number.NaN, 70_000, -1, 80.5, '8888'])('%j is no port, and says so', async (port) => {
    const app = new Application([['/', Quick]])
    await expect(app.listen(port as number, '127.0.0.1')).rejects.toMatchObject({
      code: 'ERR_SESSION_OPTION',
      message: expect.stringContaining('is no port: listen takes a number from 0 to 65535'),
    })
    await app.close()
  })

  test('several ports serve the same application', async () => {
    const { app, url } = await run([['/', Quick]], IN_MEMORY)
    const second = await app.listen(0, '127.0.0.1')
    expect((await fetchRaw(second.url)).body).toBe((await fetchRaw(url)).body)
  })
})

describe('close', () => {
  test('waits for requests that run, and ends at once when they have', async () => {
    const { app, url, port } = await run([['/', Slow]])
    const answer = fetchRaw(url)
    await vi.waitUntil(() => release)
    let closed = false
    const closing = app.close().then(() => (closed = true))
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(closed).toBe(false)
    await expect(open(port)).rejects.toThrow('ECONNREFUSED')
    const begun = performance.now()
    release?.()
    expect((await answer).body).toBe('slow answer')
    await closing
    expect(performance.now() - begun).toBeLessThan(500)
  })

  test('is not held up by idle connections, used before or never', async () => {
    const { app, port } = await run([['/', Quick]])
    const unused = await open(port)
    const used = await open(port)
    used.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(used, 'data')
    const begun = performance.now()
    await app.close()
    expect(performance.now() - begun).toBeLessThan(500)
    unused.destroy()
    used.destroy()
  })

  test('may be called twice', async () => {
    const { app, url } = await run([['/', Quick]], IN_MEMORY)
    await Promise.all([app.close(), app.close()])
    await expect(fetchRaw(url)).rejects.toThrow('ECONNREFUSED')
  })
})
