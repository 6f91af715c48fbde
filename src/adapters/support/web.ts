import type { RequestInfo, SessionManager } from '../../manager.ts'
import { statusOf, textOfStatus } from '../hold/failure.ts'
import type { HeaderLine } from '../hold/response.ts'
import { addLines } from './lines.ts'
import { infoOf } from './node-request.ts'
import type { AdapterOptions } from './options.ts'
import { RequestSession, keepWith, keptWith } from './request-session.ts'
import { isWhole } from './whole-body.ts'

/** What all adapters for fetch-style frameworks can be told. */
export interface WebOptions<Request> extends AdapterOptions<Request> {
  /**
   * Set this when a proxy is in front, or the client's address shall be kept with its sessions: what is
   * known of a request beyond its own headers and URL.
   */
  readonly info?: (request: Request) => RequestInfo
}

/** What is needed of a Request. */
export interface WebRequest {
  readonly headers: { get(name: string): string | null }
  readonly url: string
}

/** Joins a session to a request; a second call for the same manager answers the first one's. */
export function attachWeb<Data extends object>(
  manager: SessionManager<Data>,
  request: WebRequest,
  more: () => RequestInfo | undefined = () => undefined,
): RequestSession<Data> {
  const visit = {
    cookie: () => request.headers.get('cookie') ?? undefined,
    info: () => ({ ...infoOfRequest(request), ...more() }),
  }
  return keptWith(request, manager) ?? keepWith(request, new RequestSession(manager, visit))
}

function infoOfRequest({ headers, url }: WebRequest): RequestInfo {
  return infoOf({
    userAgent: headers.get('user-agent') ?? undefined,
    secure: url.startsWith('https:'),
    host: headers.get('host') ?? hostOf(url),
  })
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined
}

/**
 * Stores what the request did and answers the response with the session's headers. It is a new one if
 * it sets the cookie: one that the application made may serve several requests.
 *
 * @throws SessionError if it cannot be stored: the response must not be sent then
 */
export async function finish<Data extends object>(
  response: Response,
  kept: RequestSession<Data>,
): Promise<Response> {
  const lines = await kept.release()
  // One that is built anew does not tell any more.
  const done = isDone(response, kept)
  const answer = withLines(response, lines)
  return done ? answer : storedUntilEnd(answer, kept)
}

// An upgrade and a network error cannot be built by hand.
function withLines(response: Response, lines: readonly HeaderLine[]): Response {
  if (lines.length === 0 || response.status < 200) return response
  if (lines.every(isVary) && takes(response.headers, lines)) return response
  const rebuilt = new Response(response.body, response)
  appendToHeaders(rebuilt.headers, lines)
  return rebuilt
}

// The only line that says the same to everybody.
function isVary([name]: HeaderLine): boolean {
  return name === 'Vary'
}

// Those of a redirect, and of what was fetched, are immutable.
function takes(headers: Headers, lines: readonly HeaderLine[]): boolean {
  try {
    appendToHeaders(headers, lines)
    return true
  } catch {
    return false
  }
}

/** Puts the lines of a session among headers. */
export function appendToHeaders(headers: Headers, lines: readonly HeaderLine[]): void {
  addLines(
    {
      get: (name) => headers.get(name) ?? undefined,
      set: (name, value) => headers.set(name, value),
      append: (name, value) => headers.append(name, value),
    },
    lines,
  )
}

/** The response; if its body may go on after the headers, what comes until its end is stored too. */
export function goingOn<Data extends object>(
  response: Response,
  kept: RequestSession<Data>,
): Response {
  return isDone(response, kept) ? response : storedUntilEnd(response, kept)
}

function isDone<Data extends object>(response: Response, kept: RequestSession<Data>): boolean {
  return !kept.mayGoOn || isWhole(response)
}

function storedUntilEnd<Data extends object>(
  response: Response,
  kept: RequestSession<Data>,
): Response {
  if (response.body === null) return response
  return new Response(
    watched(response.body, () => kept.after()),
    response,
  )
}

/** The same bytes; before their end, whether it was reached or not, `atEnd` has run. */
export function watched<Chunk>(
  body: ReadableStream<Chunk>,
  atEnd: () => Promise<void> | undefined,
): ReadableStream<Chunk> {
  const reader = body.getReader()
  return new ReadableStream<Chunk>(
    {
      async pull(controller) {
        const { done, value } = await readOr(reader, atEnd)
        if (!done) return controller.enqueue(value)
        await atEnd()
        controller.close()
      },
      async cancel(reason) {
        await reader.cancel(reason)
        await atEnd()
      },
    },
    { highWaterMark: 0 },
  )
}

async function readOr<Chunk>(
  reader: ReadableStreamDefaultReader<Chunk>,
  atEnd: () => Promise<void> | undefined,
) {
  try {
    return await reader.read()
  } catch (error) {
    await atEnd()
    throw error
  }
}

/** A plain answer to an error. */
export function failureResponse(error: unknown): Response {
  const status = statusOf(error)
  return new Response(textOfStatus(status), { status, headers: { 'Cache-Control': 'no-store' } })
}
