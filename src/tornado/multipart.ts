import { Busboy } from '@fastify/busboy'
import type { BusboyFileStream, BusboyInstance } from '@fastify/busboy'
import type { Form, UploadedFile } from './body.ts'
import { HttpError } from './http-error.ts'
import { appendTo } from './request-arguments.ts'

const MOST_PARTS = 1000

/**
 * The arguments and files of a `multipart/form-data` body.
 *
 * @param contentType - with the boundary
 * @throws HttpError 400 if it is malformed or has more than 1,000 parts
 */
export function parseMultipart(contentType: string, body: Buffer): Promise<Form> {
  return new Promise((resolve, reject) => {
    const refuse = (): void => reject(new HttpError(400, 'the multipart body is malformed'))
    const values = new Map<string, Buffer[]>()
    const files = new Map<string, UploadedFile[]>()
    const parser = parserFor(contentType)
    if (parser === undefined) return refuse()
    parser.on('file', (name, part, filename: string | undefined, _encoding, type) => {
      const keep = (bytes: Buffer): void => {
        if (filename === undefined) appendTo(values, name, bytes)
        else if (filename !== '')
          appendTo(files, name, { filename, contentType: type, body: bytes })
      }
      collect(part, keep, refuse)
    })
    parser.on('partsLimit', refuse)
    parser.on('error', refuse)
    parser.on('finish', () => resolve({ arguments: values, files }))
    parser.end(body)
  })
}

// Every part is taken as a file: so the bytes of fields come undecoded, as those of a query.
function parserFor(contentType: string): BusboyInstance | undefined {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: () => true,
      limits: { parts: MOST_PARTS },
    })
  } catch {
    return undefined
  }
}

function collect(part: BusboyFileStream, keep: (bytes: Buffer) => void, fail: () => void): void {
  const chunks: Buffer[] = []
  part.on('data', (chunk: Buffer) => chunks.push(chunk))
  part.on('error', fail)
  part.on('end', () => keep(Buffer.concat(chunks)))
}
