import { conform } from './conform.ts'

conform('postgres')
