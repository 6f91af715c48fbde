import { mkdtempSync, readFileSync, readdirSync } from 'node:fs'
import { Redis } from './support/engine.ts'
import { Visitors } from './support/load.ts'
import { Subject } from './support/subject.ts'
const [group='node', variant='sojourn', work='read', bytes='200', requests='100000', top='45'] = process.argv.slice(2)
const dir = mkdtempSync('/tmp/prof-')
const redis = await Redis.start()
const subject = await Subject.start(group, variant, { BENCH_REDIS_URL: redis.url, BENCH_DIRECTORY: dir, ...(process.env.BEFORE ? {BENCH_BEFORE: process.env.BEFORE}: {}) }, ['--cpu-prof', `--cpu-prof-dir=${dir}`, '--cpu-prof-interval=500'])
const v = await Visitors.begin(subject, Number(bytes), 32)
const b = await v.burst(subject, { path: '/'+work, connections: 32, requests: Number(requests), seconds: 60 })
await subject.stop(); await redis.stop(); await v.end()
const file = readdirSync(dir).find((n)=>n.endsWith('.cpuprofile'))
const p = JSON.parse(readFileSync(`${dir}/${file}`, 'utf8'))
const self = new Map<number, number>(); 
const skip = Math.floor(p.samples.length/2)
for (let i=skip;i<p.samples.length;i++) self.set(p.samples[i], (self.get(p.samples[i])??0)+p.timeDeltas[i])
const by = new Map<string, number>(); const byFile = new Map<string, number>()
let total = 0
for (const n of p.nodes) { const t = self.get(n.id) ?? 0; const f = n.callFrame; if (f.functionName==='(idle)') continue; total += t
 const url = f.url.replace(/.*\/(dist|node_modules|subjects|snap[^/]*)\//,'$1/')
 const key = `${f.functionName || '(anonymous)'} ${url}:${f.lineNumber+1}`
 by.set(key,(by.get(key)??0)+t); byFile.set(url||f.functionName,(byFile.get(url||f.functionName)??0)+t) }
const show = (m: Map<string,number>, n: number) => [...m].sort((a,b)=>b[1]-a[1]).slice(0,n).forEach(([k,t])=>console.log((100*t/total).toFixed(1).padStart(5), k))
console.log(file, b.requests, 'requests, rate', Math.round(b.requests/b.seconds), 'sampled us/request (2nd half)', (total/(b.requests/2)).toFixed(1))
show(by, Number(top)); console.log('--- by file'); show(byFile, 30)
