import { measureOverhead } from './questions/overhead.ts'
import { median, spread } from './support/statistics.ts'
const [groups='node', variants='bare,raw,sojourn', rounds='5', scen='read:200:32,write:200:32', before=''] = process.argv.slice(2)
const names = groups.split('+'), vs = variants.split('+')
const plan = { groups: Object.fromEntries(names.map((n,i)=>[n, (vs[i]??'').split(',')])),
 scenarios: scen.split(',').map((s)=>{const [work,bytes,connections]=s.split(':'); return {work: work as 'read', bytes:Number(bytes), connections:Number(connections)}}),
 rounds: Number(rounds), burst: { requests: Number(process.env.N ?? 15000), seconds: 5 }, warm: { requests: Number(process.env.W ?? 15000), seconds: 20 }, env: before ? {BENCH_BEFORE: before} : {} }
const { costs, traffic } = await measureOverhead(plan, ()=>undefined)
const keys = [...new Set(costs.map((c)=>`${c.group} ${c.variant} ${c.work} ${c.bytes} ${c.connections}`))]
console.table(Object.fromEntries(keys.map((k)=>{ const cs=costs.filter((c)=>`${c.group} ${c.variant} ${c.work} ${c.bytes} ${c.connections}`===k); const m=(f: keyof typeof cs[0])=>median(cs.map((c)=>c[f] as number)); 
 const base = costs.filter((c)=>c.variant===vs[names.indexOf(c.group)].split(',')[Number(process.env.BASE??1)]&&c.group===cs[0].group&&c.work===cs[0].work&&c.bytes===cs[0].bytes&&c.connections===cs[0].connections);
 const ratio = median(cs.map((c)=>c.cpu/ base.find((b)=>b.round===c.round)!.cpu));
 return [k,{cpu:+m('cpu').toFixed(1), ratio:+ratio.toFixed(2), spread:+(100*spread(cs.map(c=>c.cpu))).toFixed(0), redis:+m('redisCpu').toFixed(1), rate:Math.round(m('rate')), p50:m('p50'), p99:m('p99'), others:+m('others').toFixed(2)}] })))
if (process.env.TRAFFIC) console.table(traffic.map((t)=>({...t, commands: JSON.stringify(t.commands)})))
