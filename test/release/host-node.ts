/** This machine's own Node, which runs thoth-release from 20.19 on; the tests themselves run on Node 24. */
export const HOST_NODE = process.env.THOTH_HOST_NODE ?? process.execPath;
