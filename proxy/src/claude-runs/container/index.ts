export {
  type ClaudeRunnerOptions,
  type ContainerResources,
  createClaudeRunner,
  DEFAULT_RESOURCES,
} from './claude-runner.ts'
