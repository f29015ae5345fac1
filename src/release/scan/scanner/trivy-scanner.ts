import { together } from '../../machine/together.ts';
import { imageReport } from './image-report.ts';
import { convert, dockerfileReport } from './kept-output.ts';
import type { Scanner } from './scanner.ts';
import { type Looked, readBuild, type Trivy, type TrivyBuild } from './trivy.ts';
import { readDockerfileFindings, readFindings } from './trivy-report.ts';
import { freshness, updateDatabase } from './vulnerability-database.ts';

/**
 * Trivy as a scanner: for secrets, misconfiguration and licences, and for vulnerabilities unless another one looks
 * for them. Where its database is missing or older than seven days it does not look for them, and says so.
 */
export function createTrivyScanner(trivy: Trivy, options: { vulnerabilities: boolean }): Scanner {
  async function reports(build: TrivyBuild, json: string, looked: Looked) {
    const [table, sarif] = await together([
      convert(trivy, build, json, 'table', looked),
      convert(trivy, build, json, 'sarif'),
    ]);
    return { table, sarif, files: { json } };
  }
  return {
    async prepare(now) {
      const problem = options.vulnerabilities ? await updateDatabase(trivy) : undefined;
      const build = await readBuild(trivy);
      const data = options.vulnerabilities ? freshness(build.databaseUpdatedAt, now, problem) : undefined;
      const looked = data?.status ?? 'not-checked';
      return {
        name: `trivy ${build.version}`,
        vulnerabilities: data,
        async scanImage(layout, image) {
          const json = await imageReport(trivy, build, layout, image, looked);
          return { ...readFindings(json, image), ...(await reports(build, json, looked)) };
        },
        async scanDockerfile(text) {
          const json = await dockerfileReport(trivy, build, text);
          return { findings: readDockerfileFindings(json), ...(await reports(build, json, 'dockerfile')) };
        },
      };
    },
  };
}
