import { serve } from './subjects/koa.ts'
import { checkAdapter } from './support/checks.ts'

checkAdapter('koa', serve, ['http/1.1', 'h2'])
