/** How the page of the API looks: by the reader's own colours, fonts and width. */
export const STYLE = `:root { color-scheme: light dark; --line: light-dark(#ccc, #444); --soft: light-dark(#555, #aaa); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 small { color: var(--soft); font-weight: normal; }
h2 { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem; }
code { font-family: ui-monospace, monospace; }
nav ul { list-style: none; padding: 0; }
nav li { padding: .15rem 0; }
dt { margin-top: .5rem; }
dt i { color: var(--soft); }
dd { margin-left: 1.5rem; }
dl dl { border-left: 2px solid var(--line); padding-left: .75rem; }
summary { cursor: pointer; }
a { color: light-dark(#05c, #8bf); }
a:focus-visible, summary:focus-visible { outline: 2px solid; outline-offset: 2px; }
section:target > h2, section:target > h3 { background: light-dark(#ffc, #553); }
`;
