export { createCodeStore } from './code-store.ts'
export { type CommentMetadata, readCommentClaims, readCommentMetadata } from './metadata.ts'
export {
  type FetchAs,
  type FetchedHop,
  type FetchedSkill,
  MAX_CODE_BYTES,
  type SkillFetcher,
} from './ports.ts'
export { parseSkillUrl } from './skill-url.ts'
export { readEndedCode, readStoredCode } from './stored-code.ts'
