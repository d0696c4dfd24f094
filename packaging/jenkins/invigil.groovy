// invigil.groovy: vars/invigil.groovy of a Jenkins shared library, for agents on which invigil is installed and whose user is
// of the group invigil. In a Jenkinsfile: invigil(run: 'pytest tests/', failOn: 'high')
def call(Map options) {
	try {
		withEnv(["STEP_COMMAND=${options.run}", "INVIGIL_FAIL_ON=${options.failOn ?: 'never'}", 'INVIGIL_STEP_DIR=invigil-report']) {
			sh '/usr/share/invigil/ci-step.sh -- bash -eo pipefail -c "$STEP_COMMAND"'
		}
	} finally {
		archiveArtifacts artifacts: 'invigil-report/*', allowEmptyArchive: true
	}
}
