/**
 * Measures how a session can lie in Redis: packed in one string (what RedisStore does), as a hash, as
 * JSON that is written whole; and what a bare command costs. Prints the tables of
 * docs/decisions/0001-redis-layout.md.
 *
 *     npx tsx bench/redis-layout.ts [rounds=9] [sessions=100000]
 *
 * All subjects take turns in every round; the figures are medians. The client should have a core of
 * its own (`taskset -c 0 npx tsx …`): the server goes to core 1.
 *
 * @module
 */

import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { createClient, RESP_TYPES } from 'redis'
import type { SessionRecord } from '../src/store.ts'
import { pack, unpack } from '../src/stores/redis/packed.ts'
import { startRedis } from '../test/support/redis.ts'
import { sample, small, subjects, touch, type Subject } from './redis-layout-subjects.ts'

const [rounds = 9, sessions = 100_000] = process.argv.slice(2).map(Number)
const CONCURRENT = 32
const KEYS = 200

interface Figures {
  readonly client: number
  readonly server: number
  readonly rate: number
  readonly latency: number
}

const server = await startRedis()
execFileSync('taskset', ['-cp', '1', String(server.pid)], { stdio: 'ignore' })
const client = createClient({ url: server.url, commandOptions: { timeout: 0 } })
client.on('error', console.error)
await client.connect()
const send = (args: string[]): Promise<unknown> => client.sendCommand(args)
try {
  for (const bytes of [1024, 4096, 65_536]) await compare(bytes)
  await replies()
  await memory()
} finally {
  await client.close()
  await server.stop()
}

async function compare(bytes: number): Promise<void> {
  const results = new Map<string, Figures[]>()
  for (let round = -2; round < rounds; round++) {
    for (const subject of subjects(client, send)) {
      await send(['FLUSHALL'])
      await fill(subject, sample(bytes), KEYS)
      for (const [work, run] of Object.entries(works(bytes))) {
        const figures = await measure((n) => run(subject, idOf(n % KEYS)), bytes)
        const name = `${work} | ${subject.name}`
        if (round >= 0) results.set(name, [...(results.get(name) ?? []), figures])
      }
    }
  }
  print(bytes, results)
}

function works(bytes: number): Record<string, (subject: Subject, id: string) => Promise<unknown>> {
  const text = [...sample(bytes).values.values()][0] ?? ''
  let n = 0
  return {
    load: (subject, id) => subject.load(id, touch(false)),
    'load, touch due': (subject, id) => subject.load(id, touch(true)),
    'commit 1 of 20': (subject, id) => subject.commit(id, `${text.slice(0, -1 - (++n % 7))}"`),
    'commit 1, same length': (subject, id) => subject.commit(id, text),
  }
}

async function measure(run: (n: number) => Promise<unknown>, bytes: number): Promise<Figures> {
  const count = bytes > 10_000 ? 1000 : 4000
  const before = { server: await serverCpu(), client: process.cpuUsage(), at: performance.now() }
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++)
  }
  await Promise.all(Array.from({ length: CONCURRENT }, worker))
  const seconds = (performance.now() - before.at) / 1000
  const used = process.cpuUsage(before.client)
  const cpu = (await serverCpu()) - before.server
  return {
    client: (used.user + used.system) / count,
    server: cpu / count,
    rate: count / seconds,
    latency: await latency(run),
  }
}

async function latency(run: (n: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < 100; n++) {
    const start = performance.now()
    await run(n)
    times.push((performance.now() - start) * 1000)
  }
  return median(times)
}

/** What it costs to have the reply as text, as clients give it, or as bytes that are decoded in part. */
async function replies(): Promise<void> {
  console.log(
    '\nReading one value of 20, client CPU us: a bare GET, a reply as text, one as bytes\n',
  )
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const get = ['GET', 'record']
  const readers = {
    'bare GET': () => send(get),
    text: async () => unpack(String(await send(get))).values.get('name7'),
    bytes: async () => unpack(await bytes.sendCommand<Buffer>(get)).values.get('name7'),
  }
  console.log('| bytes | of | bare GET | text | bytes |\n|--:|---|--:|--:|--:|')
  for (const size of [1024, 4096, 65_536]) {
    for (const character of ['x', '世']) {
      await send(['SET', 'record', pack(sample(size / Buffer.byteLength(character), character))])
      const results = Object.values(readers).map(() => [] as number[])
      for (let round = -2; round < rounds; round++) {
        for (const [n, read] of Object.values(readers).entries()) {
          const used = await measure(read, size)
          if (round >= 0) results[n]?.push(used.client)
        }
      }
      const shown = results.map((all) => median(all).toFixed(1)).join(' | ')
      console.log(`| ${size} | ${character} | ${shown} |`)
    }
  }
}

/** Microseconds of CPU that the server has used. */
async function serverCpu(): Promise<number> {
  const info = String(await send(['INFO', 'cpu']))
  const seconds = [...info.matchAll(/used_cpu_(?:user|sys):([\d.]+)/g)].map(([, text]) =>
    Number(text),
  )
  return seconds.reduce((sum, value) => sum + value, 0) * 1e6
}

async function memory(): Promise<void> {
  console.log(`\nMemory for ${sessions} sessions (used_memory): bytes per session, key included\n`)
  const samples = { 'login and views': small, '1 KB in 20 values': () => sample(1024) }
  for (const [name, make] of Object.entries(samples)) {
    for (const subject of subjects(client, send)) {
      if (/load script|raw/.test(subject.name)) continue
      await send(['FLUSHALL'])
      const empty = await usedMemory()
      await fill(subject, make(), sessions)
      const created = (await usedMemory()) - empty
      for (let n = 0; n < 2000; n++) await subject.commit(idOf(n), '"changed text"')
      const changed = (await usedMemory()) - empty - created
      console.log(
        `| ${name} | ${subject.name} | ${(created / sessions).toFixed(0)} | ${(changed / 2000).toFixed(0)} |`,
      )
    }
  }
}

async function usedMemory(): Promise<number> {
  const info = String(await send(['INFO', 'memory']))
  return Number(/used_memory:(\d+)/.exec(info)?.[1])
}

async function fill(subject: Subject, record: SessionRecord, count: number): Promise<void> {
  for (let n = 0; n < count;) {
    const batch: Promise<unknown>[] = []
    while (batch.length < 500 && n < count) batch.push(subject.create(idOf(n++), record))
    await Promise.all(batch)
  }
}

function idOf(n: number): string {
  return `${n}`.padStart(32, 'k').padEnd(43, 'z')
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function print(bytes: number, results: ReadonlyMap<string, readonly Figures[]>): void {
  const load = loadavg()[0]?.toFixed(1)
  console.log(`\n${bytes} bytes in 20 values, medians of ${rounds} rounds, load average ${load}\n`)
  console.log('| work | layout | client CPU us | server CPU us | ops/s | latency us |')
  console.log('|---|---|--:|--:|--:|--:|')
  for (const [name, figures] of results) {
    const of = (field: keyof Figures): string => median(figures.map((f) => f[field])).toFixed(1)
    console.log(
      `| ${name} | ${of('client')} | ${of('server')} | ${Number(of('rate')).toFixed(0)} | ${of('latency')} |`,
    )
  }
}
