import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.ts'
import { parseArguments } from './request-arguments.ts'
import type { ArgumentLists } from './request-arguments.ts'

/** A file of a form. */
export interface UploadedFile {
  /** As the client named it, without folders. Never a path to write to. */
  readonly filename: string
  /** As the client says. */
  readonly contentType: string
  readonly body: Buffer
}

/** What a form in the body holds. */
export interface Form {
  readonly arguments: ArgumentLists
  readonly files: ReadonlyMap<string, readonly UploadedFile[]>
}

/** The client went away before its request was complete: nobody is there to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

const EMPTY: Form = { arguments: new Map(), files: new Map() }

/**
 * The whole body.
 *
 * @param limit - bytes
 * @throws HttpError 413 above the limit; the connection stays usable
 */
export function readBody(message: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const fail = (error: Error): void => {
      message.off('data', collect).resume()
      reject(error)
    }
    const collect = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limit) fail(tooLarge(limit))
      else chunks.push(chunk)
    }
    message.on('end', () => resolve(Buffer.concat(chunks, size)))
    message.on('error', () => fail(new ClientGone()))
    message.on('close', () => fail(new ClientGone()))
    if (Number(message.headers['content-length'] ?? 0) > limit) fail(tooLarge(limit))
    else message.on('data', collect)
  })
}

/**
 * The form in a body, if its content type says that there is one.
 *
 * @throws HttpError 400 if it is malformed, or compressed
 */
export async function parseForm(message: IncomingMessage, body: Buffer): Promise<Form> {
  const type = message.headers['content-type'] ?? ''
  const isMultipart = /^multipart\/form-data\s*(;|$)/i.test(type)
  if (!isMultipart && !/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return EMPTY
  if (message.headers['content-encoding'] !== undefined) {
    throw new HttpError(400, 'a form must not have a Content-Encoding')
  }
  if (!isMultipart) return { ...EMPTY, arguments: parseArguments(body.toString('latin1')) }
  // Loaded with the first upload: most programs never have one.
  const { parseMultipart } = await import('./multipart.ts')
  return parseMultipart(type, body)
}

function tooLarge(limit: number): HttpError {
  return new HttpError(413, `the body is larger than ${limit} bytes`)
}
