import { readFileSync } from 'node:fs'
import type { SigningSecret, VersionedSecrets } from '../../src/tornado/signed-value.ts'

interface PlainSecret {
  readonly kind: 'str' | 'bytes'
  readonly value?: string
  readonly b64?: string
}

interface Vectors {
  readonly secrets: Record<
    string,
    PlainSecret | { kind: 'dict'; keys: Record<string, PlainSecret> }
  >
  readonly sign: readonly {
    id: string
    secret: string
    name: string
    value: { str?: string; b64?: string }
    clock: number
    version: 1 | 2
    key_version: number | null
    signed: string
  }[]
  readonly decode: readonly {
    id: string
    group: string
    secret: string
    name: string
    input: string | null
    clock: number
    max_age_days: number
    min_version: number
    note: string
    expect: { b64: string } | null
  }[]
  readonly signature_key_version: readonly { input: string; expect: number | null }[]
  readonly cookie_quote: readonly { value: string; wire: string; parsed_back: string }[]
  readonly cookie_parse: readonly {
    header: string
    parse_cookie: Record<string, string>
    request_cookies: Record<string, string>
  }[]
  readonly xsrf_encode: readonly {
    token_hex: string
    mask_hex: string
    timestamp: number
    v2: string
    v1: string
  }[]
  readonly xsrf_decode: readonly {
    input: string
    version: number | null
    token_hex: string | null
    timestamp: number | null
  }[]
}

const file = new URL('../fixtures/tornado-signed-values.json', import.meta.url)

/** What Tornado 6.2 and 6.6.dev1 answered, byte for byte. */
export const vectors: Vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors

/** A secret of the vectors, by its name. */
export function secretNamed(name: string): SigningSecret | VersionedSecrets {
  const secret = vectors.secrets[name]
  if (secret === undefined) throw new Error(`no secret ${name}`)
  if (secret.kind !== 'dict') return plain(secret)
  return Object.fromEntries(Object.entries(secret.keys).map(([key, one]) => [key, plain(one)]))
}

function plain(secret: PlainSecret): SigningSecret {
  return secret.kind === 'str' ? (secret.value ?? '') : Buffer.from(secret.b64 ?? '', 'base64')
}
