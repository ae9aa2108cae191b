export { type CommentMetadata, readCommentMetadata } from './metadata.ts'
export { type CodeRepository, type FetchedSkill, MAX_CODE_BYTES, type SkillFetcher } from './ports.ts'
export { parseSkillUrl, type SkillUrl } from './skill-url.ts'
export { type CodeWarning, codeWarnings, hasMixedWord } from './warnings.ts'
