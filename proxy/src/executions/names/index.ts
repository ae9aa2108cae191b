export { hostDangers } from './host-dangers.ts'
export { hiddenCharacters, type NameInput, nameDangers, TEXTS } from './name-dangers.ts'
export { isReservedSkillId } from './reserved.ts'
