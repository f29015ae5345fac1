// The documents of the repository as a site: make docs. A link that leads nowhere fails the build.
import { existsSync, statSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { defineConfig } from 'vitepress';

const PROJECT = resolve(import.meta.dirname, '../../..');
const SOURCE = 'https://github.com/marcopancotti/thoth';

/** The pages, by their files in the repository. */
const GROUPS = {
  'The service': {
    'docs/DEPLOYMENT.md': 'Install, update, go back',
    'docs/KUBERNETES.md': 'Kubernetes',
    'docs/SETTINGS.md': 'Settings',
    'docs/API.md': 'API',
    'docs/SECURITY.md': 'Running it safely',
    'docs/MIGRATION.md': 'Migration',
    'docs/FAQ.md': 'Questions',
  },
  'Where it runs': {
    'docs/guides/raspberry-pi.md': 'Raspberry Pi',
    'docs/guides/aws.md': 'AWS',
    'docs/guides/gcp.md': 'Google Cloud',
    'docs/guides/azure.md': 'Azure',
    'docs/guides/air-gapped.md': 'Without the internet',
  },
  'The pipeline': {
    'docs/OWN-IMAGE.md': 'Your own image',
    'docs/RELEASING.md': 'Releasing',
    'docs/ERRORS.md': 'Errors',
    'docs/DAGGER.md': 'The Dagger module',
    'docs/ARCHITECTURE.md': 'Architecture',
    'docs/COMPARISON.md': 'Beside others',
    'CONTRIBUTING.md': 'Contributing',
    'CHANGELOG.md': 'Changes',
  },
  Measured: {
    'docs/bench/RELEASE.md': 'A release beside others',
    'docs/bench/SERVICE.md': 'The service beside others',
    'docs/bench/SOAK.md': 'Its memory',
    'docs/bench/FAULTS.md': 'What faults cost',
    'docs/bench/MUTATION.md': 'The tests of the decisions',
    'docs/bench/NEWCOMER.md': 'On a new machine',
  },
};

const PAGES = {
  'README.md': 'index.md',
  'SECURITY.md': 'report.md',
  ...Object.fromEntries(
    Object.values(GROUPS).flatMap((group) =>
      Object.keys(group).map((file) => [file, file.replace(/^docs\//, '').toLowerCase()]),
    ),
  ),
};

/** The address of a page on the site. */
function addressOf(file) {
  return `/${PAGES[file].replace(/(index)?\.md$/, '')}`;
}

/** Files that are no pages are on GitHub. A link to what is not there at all stays, and fails the build. */
function linkFiles(markdown) {
  markdown.core.ruler.push('files', ({ tokens, env }) => {
    const folder = posix.dirname(posix.relative(PROJECT, env.realPath ?? env.path));
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.attrGet('href');
      if (token.type !== 'link_open' || href === null || /^([a-z]+:|#)/i.test(href)) continue;
      const [address, anchor] = href.split('#');
      const file = posix.join(folder, address);
      if (!existsSync(join(PROJECT, file))) continue;
      const kind = statSync(join(PROJECT, file)).isDirectory() ? 'tree' : 'blob';
      const target = file in PAGES ? addressOf(file) : `${SOURCE}/${kind}/main/${file}`;
      token.attrSet('href', anchor === undefined ? target : `${target}#${anchor}`);
    }
  });
}

// biome-ignore lint/style/noDefaultExport: it is how VitePress reads it
export default defineConfig({
  title: 'Thoth',
  description:
    'One OpenAI-compatible API over OpenAI, Anthropic and Google, and the pipeline that releases it.',
  srcDir: PROJECT,
  // DOCKERHUB.md is Docker Hub's page, with its own kind of links.
  srcExclude: ['!(docs)/**/*.md', 'docs/DOCKERHUB.md'],
  rewrites: PAGES,
  outDir: join(PROJECT, 'dist/site'),
  cacheDir: join(PROJECT, 'dist/site-cache'),
  cleanUrls: true,
  lastUpdated: false,
  markdown: { config: linkFiles },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'API reference', link: '/docs/index.html', target: '_self' },
      { text: 'Source', link: SOURCE },
    ],
    sidebar: Object.entries(GROUPS).map(([text, group]) => ({
      text,
      items: Object.entries(group).map(([file, title]) => ({
        text: title,
        link: addressOf(file),
      })),
    })),
  },
});
