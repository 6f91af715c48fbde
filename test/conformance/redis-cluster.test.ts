import { conform } from './conform.ts'

conform('redis cluster')
