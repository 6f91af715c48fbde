import { parseArgs } from 'node:util'
import { Problem } from './tools.js'

/** What can be measured, in the order of the reports. */
export const QUESTIONS = /** @type {const} */ ([
  'overhead',
  'engines',
  'growth',
  'parts',
  'scale-out',
  'near-cache',
])

/** @typedef {typeof QUESTIONS[number]} QuestionName */

export const HELP = `Usage: npm run bench -- [options]

  --quick            about 8 minutes instead of an hour; writes to .build/bench
  --only <question>  may be repeated:
                     ${QUESTIONS.join(', ')}
  --resume           leaves out what was measured since src changed
  --report           measures nothing: writes docs from bench/results
  --to <folder>      writes results and documents there

Figures are to be compared only if the machine does nothing else meanwhile.`

const FLAG = /** @type {const} */ ({ type: 'boolean', default: false })

/**
 * What a run of the benchmarks is asked for.
 * @param {readonly string[]} args
 */
export function readArguments(args) {
  const { only, ...values } = parsed(args)
  return { ...values, only: only?.map(questionNamed) }
}

/** @param {readonly string[]} args */
function parsed(args) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ help: FLAG, quick: FLAG, smoke: FLAG, report: FLAG, resume: FLAG },
        only: { type: 'string', multiple: true },
        to: { type: 'string' },
      },
    }).values
  } catch (error) {
    throw new Problem(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
  }
}

/**
 * @param {string} name
 * @returns {QuestionName}
 */
function questionNamed(name) {
  const found = QUESTIONS.find((each) => each === name)
  if (found !== undefined) return found
  throw new Problem(`There is no question '${name}'. There are: ${QUESTIONS.join(', ')}.`)
}
