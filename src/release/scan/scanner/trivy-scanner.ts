import { together } from '../../machine/together.ts';
import { imageReport } from './image-report.ts';
import type { Scanner } from './scanner.ts';
import { type Looked, readBuild, type Trivy, trivyConvert, trivyDockerfile } from './trivy.ts';
import { readDockerfileFindings, readFindings } from './trivy-report.ts';
import { freshness, updateDatabase } from './vulnerability-database.ts';

/**
 * Trivy as a scanner: for secrets, misconfiguration and licences, and for vulnerabilities unless another one looks
 * for them. Where its database is missing or older than seven days it does not look for them, and says so.
 */
export function createTrivyScanner(trivy: Trivy, options: { vulnerabilities: boolean }): Scanner {
  async function reports(json: string, looked: Looked) {
    const [table, sarif] = await together([
      trivyConvert(trivy, json, 'table', looked),
      trivyConvert(trivy, json, 'sarif'),
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
          return { ...readFindings(json, image), ...(await reports(json, looked)) };
        },
        async scanDockerfile(text) {
          const json = await trivyDockerfile(trivy, text);
          return { findings: readDockerfileFindings(json), ...(await reports(json, 'dockerfile')) };
        },
      };
    },
  };
}
