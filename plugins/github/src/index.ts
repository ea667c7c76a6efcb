import { plugin } from "@toolcell/sdk";
import { getFile, listCommits, listReleases, searchCode, searchRepositories } from "./code.ts";
import { getDiff, getIssue, searchIssues } from "./issues.ts";

export default plugin({
  tools: [searchRepositories, searchIssues, searchCode, getIssue, getDiff, getFile, listCommits, listReleases],
});
