import { conform } from './conform.ts'

conform('redis with a near cache')
