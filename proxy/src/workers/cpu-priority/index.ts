export { atUsualPriority, giveWay, raiseEventLoop } from './cpu-priority.ts'
