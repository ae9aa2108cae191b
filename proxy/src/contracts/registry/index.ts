export { keyOf, REGISTRY_KEY } from './keys.ts'
export {
  openIndex,
  type RegistryIndex,
  SKILL_REFERENCE,
  SKILL_REFERENCE_FORM,
  type SkillEntry,
  signEntry,
  signIndex,
  skillName,
  timeProblem,
  type UnsignedEntry,
  type UnsignedIndex,
  verifiesEntry,
} from './skill-index.ts'
