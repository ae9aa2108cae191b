export { hostDangers } from './host-dangers.ts'
export { type NameInput, nameDangers } from './name-dangers.ts'
export { isReservedSkillId } from './reserved.ts'
