export { createSkillFetcher, type SkillFetcherOptions } from './skill-fetcher.ts'
