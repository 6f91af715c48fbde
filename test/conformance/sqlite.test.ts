import { conform } from './conform.ts'

conform('sqlite')
