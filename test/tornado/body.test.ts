import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { RequestHandler } from '../../src/tornado/index.ts'
import { fetchRaw } from './browser.ts'
import { run } from './running.ts'

class Upload extends RequestHandler {
  post() {
    const files = [...this.files].map(([name, list]) => {
      return [
        name,
        list.map(({ filename, contentType, body }) => ({
          filename,
          contentType,
          body: body.toString('latin1'),
        })),
      ]
    })
    this.write({
      text: this.getBodyArguments('text'),
      raw: this.getBodyArguments('text', false),
      size: this.request.body.length,
      files: Object.fromEntries(files),
    })
  }
}

const { url, port, log, nextEntry } = await run([['/', Upload]], { maxBodySize: 100_000 })

function multipart(...parts: string[]) {
  const body = parts.map((part) => `--XX\r\nContent-Disposition: form-data; ${part}\r\n`).join('')
  return {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=XX' },
    body: Buffer.from(`${body}--XX--\r\n`, 'utf8'),
  }
}

describe('a multipart form', () => {
  test('has arguments and files, with text in UTF-8 and bytes as they came', async () => {
    const file = 'name="f"; filename="../../å.bin"\r\nContent-Type: image/png\r\n\r\n\x00\x01'
    const reply = await fetchRaw(
      url,
      multipart('name="text"\r\n\r\n 张 ', 'name="text"\r\n\r\n2', file),
    )
    expect(JSON.parse(reply.body)).toMatchObject({
      text: ['张', '2'],
      raw: [' 张 ', '2'],
      files: { f: [{ filename: 'å.bin', contentType: 'image/png', body: '\x00\x01' }] },
    })
  })

  test('without a chosen file has none', async () => {
    const reply = await fetchRaw(url, multipart('name="f"; filename=""\r\n\r\n'))
    expect(JSON.parse(reply.body).files).toEqual({})
  })

  test('a field that is not UTF-8 is 400', async () => {
    const form = multipart('name="text"\r\n\r\n$')
    form.body[form.body.indexOf('$')] = 0xff
    expect((await fetchRaw(url, form)).status).toBe(400)
  })

  test.each([
    ['without a boundary', { 'content-type': 'multipart/form-data' }, 'x'],
    [
      'that is cut off',
      { 'content-type': 'multipart/form-data; boundary=XX' },
      '--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nb',
    ],
    ['that is no multipart', { 'content-type': 'multipart/form-data; boundary=XX' }, 'hello'],
    [
      'that is compressed',
      { 'content-type': 'multipart/form-data; boundary=XX', 'content-encoding': 'gzip' },
      '--XX--',
    ],
  ])('%s is 400', async (_, headers, body) => {
    expect((await fetchRaw(url, { method: 'POST', headers, body })).status).toBe(400)
  })

  test('with more than 1,000 parts is 400', async () => {
    const parts = Array.from({ length: 1001 }, () => 'name="a"\r\n\r\n')
    expect((await fetchRaw(url, multipart(...parts))).status).toBe(400)
  })
})

describe('a body', () => {
  test('of any other type is bytes', async () => {
    const headers = { 'content-type': 'application/octet-stream' }
    const reply = await fetchRaw(url, { method: 'POST', headers, body: Buffer.alloc(100_000) })
    expect(JSON.parse(reply.body)).toMatchObject({ size: 100_000, text: [] })
  })

  test('above the limit is 413, with a length and without one', async () => {
    const body = Buffer.alloc(100_001)
    const known = { 'content-length': '100001' }
    expect((await fetchRaw(url, { method: 'POST', headers: known, body })).status).toBe(413)
    const chunked = { 'transfer-encoding': 'chunked' }
    expect((await fetchRaw(url, { method: 'POST', headers: chunked, body })).status).toBe(413)
  })

  test('that never comes to its end is no error of ours', async () => {
    const before = log.length
    const socket = connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc')
    await once(socket, 'connect')
    const entry = nextEntry()
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    expect(await entry).toMatchObject({ errors: [], message: expect.stringContaining('went away') })
    expect(log).toHaveLength(before + 1)
  })
})

test('a client that goes away before its answer leaves the server as it was', async () => {
  class Slow extends RequestHandler {
    async get() {
      await new Promise((resolve) => setTimeout(resolve, 80))
      this.write('x'.repeat(100_000))
    }
  }
  const slow = await run([['/', Slow]])
  const entry = slow.nextEntry()
  const socket = connect(slow.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await new Promise((resolve) => setTimeout(resolve, 30))
  socket.destroy()
  expect(await entry).toMatchObject({ status: 200, errors: [] })
  expect((await fetchRaw(slow.url)).body).toHaveLength(100_000)
})
