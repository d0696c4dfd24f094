/* credential_store.c: R7.6, files with credentials that somebody else than their own client reads. */
#include <fnmatch.h>
#include <string.h>
#include "credential.h"
#include "detect.h"

/* Its own clients: programs or scripts by name, and packages that a process has imported. */
static const struct store {
	const char *path;
	unsigned libraries;
	const char *const clients[18];
} stores[] = {
	{ "*/.docker/config.json",
	  LIBRARY_DOCKER,
	  { "docker", "docker-*", "dockerd", "buildx", "buildctl", "podman", "buildah", "skopeo",
	    "nerdctl", "crane", "cosign", "kaniko", "pack", "act" } },
	{ "*/.aws/c*",
	  LIBRARY_AWS,
	  { "aws", "aws-*", "aws_completer", "sam", "cdk", "eksctl", "terraform", "terraform-*",
	    "tofu", "packer", "pulumi*", "s3cmd", "rclone" } },
	{ "*/.netrc",
	  LIBRARY_REQUESTS,
	  { "curl", "wget", "wget2", "git", "git-*", "ftp", "tnftp", "lftp", "pip", "pip[0-9]*",
	    "hg", "go", "bazel", "heroku", "nix" } },
	{ "*/.git-credentials", 0, { "git", "git-*" } },
	{ "*/.ssh/id_*",
	  LIBRARY_SSH,
	  { "ssh", "ssh-*", "scp", "sftp", "sshd", "autossh", "mosh", "git", "git-*" } },
	{ "*/.kube/config",
	  LIBRARY_KUBERNETES,
	  { "kubectl", "kubectl-*", "helm", "k9s", "kustomize", "kind", "k3d", "minikube", "oc",
	    "skaffold", "stern", "flux", "argocd", "terraform-*", "tilt", "kubectx", "kubens" } },
};

static bool is_client(const struct store *s, const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(s->clients) && s->clients[i]; i++)
		if (!fnmatch(s->clients[i], name, 0))
			return true;
	return false;
}

/* path ends with a NUL. */
static bool is_store(const struct store *s, const struct process *p, struct span path)
{
	return !fnmatch(s->path, path.ptr, 0) ||
	       (s->libraries & LIBRARY_DOCKER && credential_is_dockers(p, path));
}

static void look(const struct fact *f, struct report *out)
{
	struct span path = span_of(f->file.path.text);
	const struct process *p = f->process;

	if (f->file.action != FILE_READ || !p || !path.len || span_ends(path, ".pub"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(stores); i++)
		if (is_store(&stores[i], p, path) && !(p->libraries & stores[i].libraries) &&
		    !is_client(&stores[i], p->name) && !is_client(&stores[i], p->script))
			finding(out, "R7.6", path, "%s reads %.*s", p->name ? p->name : "a process",
				SPANF(path));
}

const struct detector detect_credential_store = { RISK_NAME_DISCLOSURE, FACT_FILE, look };
