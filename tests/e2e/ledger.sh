#!/bin/bash
# ledger.sh: whose an object is, in every way that an engine makes, names and removes one: own, and near misses that are foreign.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
engine_up
registry=
at_end() {
	[ -z "$registry" ] || kill "$registry" 2>/dev/null
	cleanup
}
trap at_end EXIT
base=invigil/base:1
sock=$engine/docker.sock
mkdir "$work/context"
printf 'FROM %s\nRUN echo a >/a\n' $base >"$work/context/Dockerfile"

own() { # WHAT COMMANDS: whatever they remove is the run's own
	test_begin "own: $1"
	if ! run -q -- sh -ec "$2" >"$work/out" 2>&1; then
		fail "$work/out"
		return
	fi
	see "own: $1" '[e for e in ev if get(e, "event.action", "").endswith("-remove")] and all(get(e, "invigil.docker.owner") == "own" for e in ev if get(e, "event.action", "").endswith("-remove") and get(e, "event.kind") == "event") and not alerts("R9.2") and not alerts("R9.4") and evidence("R9.1")'
	see "own: $1: nothing is left behind" 'not get(ev[-1], "invigil.run.left_behind.objects")'
}
foreign() { # WHAT COMMANDS
	run -q -- sh -c "$2" >"$work/out" 2>&1
	see "foreign: $1" 'alerts("R9.2") and not alerts("R9.4")'
}

own "an image of two tags, by each" "docker build -q -t m1:1 -t m2:1 '$work/context' && docker rmi m1:1 m2:1"
own "an image by what --iidfile has" "docker build --no-cache --iidfile '$work/iid' '$work/context' && docker rmi \$(cat '$work/iid')"
own "an image of a quiet build, by its id" "docker rmi \$(docker build -q --no-cache '$work/context')"
own "an image by the beginning of its id" "docker rmi \$(docker build -q --no-cache '$work/context' | cut -d: -f2 | cut -c1-10)"
own "an image that BuildKit built, by its id" \
	"docker rmi \$(DOCKER_BUILDKIT=1 /usr/bin/docker build -q --no-cache '$work/context')"
own "a commit, by its id; and a container by the beginning of its id" \
	"c=\$(docker create $base true); docker rmi \$(docker commit \$c); docker rm \$(echo \$c | cut -c1-8)"
own "a commit, by its name" "docker create --name c1 $base true; docker commit c1 made:1; docker rm c1; docker rmi made:1"
own "an import, by its name" "docker export \$(docker create --name c2 $base true) | docker import - imported:1; docker rm c2; docker rmi imported:1"
own "an import, by its id" "docker export \$(docker create --name c3 $base true) >'$work/export.tar'; docker rm c3; docker rmi \$(docker import - <'$work/export.tar')"
docker build -q --no-cache -t saved:1 "$work/context" >/dev/null
docker save saved:1 -o "$work/saved.tar"
docker rmi saved:1 >/dev/null
own "a load, by the name in it" "docker load -i '$work/saved.tar' && docker rmi saved:1"
own "a load, by an id that no answer told" "docker load -qi '$work/saved.tar' && docker rmi \$(docker images -q saved:1)"
docker tag $base served:1
docker save served:1 -o "$work/served.tar"
/usr/bin/python3 -B tests/e2e/registry.py "$work/served.tar" >"$work/served" &
registry=$!
check "a registry on loopback" until_true 20 test -s "$work/served"
read -r port digest <"$work/served"
thing=127.0.0.1:$port/thing
own "a pull, by its tag" "docker pull $thing:1 && docker rmi $thing:1"
own "a pull by a digest, by that" "docker pull $thing@$digest && docker rmi $thing@$digest"
own "a pull by a tag, by the digest that it has" "docker pull $thing:1 && docker rmi $thing@$digest; docker rmi -f $thing:1 || true"
run -q -- docker pull -q "$thing:1" >/dev/null
see "a pull is left behind once, by its tag" "[str(o).split()[-1].split('/')[-1] for o in get(ev[-1], 'invigil.run.left_behind.objects')] == ['thing:1']"
foreign "a pull of what was there" "docker pull $thing:1 && docker rmi $thing:1"
docker rmi served:1 >/dev/null
own "a tag" "docker tag $base other:1 && docker rmi other:1"
own "a container by its new name" "docker create --name n1 $base true && docker rename n1 n2 && docker rm n2"
own "a volume" "docker volume create v1 && docker volume rm v1"
own "a volume without a name" "docker volume rm \$(docker volume create)"
own "a container's own volume, with it" "docker run --name v2 -v /data $base true && docker rm -v v2"
own "a container's own volume, by its name" \
	"docker create --name v3 -v /data $base true && v=\$(docker inspect -f '{{(index .Mounts 0).Name}}' v3) && docker rm v3 && docker volume rm \$v"
unknown() { # WHAT COMMANDS: it cannot be known
	run -q -- sh -c "$2" >"$work/out" 2>&1
	see "unknown: $1" '[get(e, "invigil.docker.owner") for e in action("volume-remove")] == ["unknown"] and not alerts("R9.2")'
}
unknown "a volume that a container names, which may have been there" \
	"docker create --name v4 -v named:/data $base true && docker rm v4 && docker volume rm named"
unknown "the volume of a container that was never inspected" \
	"docker create --name v5 -v /data $base true && v=\$(docker volume ls -q | head -1) && docker rm v5 && docker volume rm \$v"
docker create --name lender -v /data $base true >/dev/null
run -q -- sh -c "docker create --name v6 --volumes-from lender $base true; v=\$(docker inspect -f '{{(index .Mounts 0).Name}}' v6); docker rm v6; docker rm -f lender; docker volume rm \$v" >"$work/out" 2>&1
see "a volume that is another's is not the run's own because its container has it" \
	'[get(e, "invigil.docker.owner") for e in action("volume-remove")] == ["unknown"]'
# A name can hold a value that becomes a secret later, as the password of the next container.
own "a container in whose name a secret stands" \
	"docker create --name shop_salamander_db $base true; docker create --name shop_web -e DB_PASSWORD=salamander $base true; docker rm shop_salamander_db; docker rm shop_web"
docker create --name shop_salamandre_db $base true >/dev/null
foreign "a container in whose name something like it stands" \
	"docker create --name shop_salamander_db $base true; docker create --name shop_web -e DB_PASSWORD=salamander $base true; docker rm shop_salamandre_db; docker rm shop_salamander_db shop_web"
own "a network, by its id" "docker network rm \$(docker network create net1)"
if command -v docker-compose >/dev/null; then
	mkdir "$work/compose"
	printf 'version: "3"\nservices:\n  one:\n    image: %s\n    command: sleep 600\n    volumes: [ "data:/d" ]\nvolumes: { data: {} }\n' $base >"$work/compose/docker-compose.yml"
	own "a compose project: containers, network, volume" "cd '$work/compose' && export COMPOSE_API_VERSION=1.41 && docker-compose -p ivgl up -d && docker-compose -p ivgl down -v -t 0"
else
	test_begin "own: a compose project"
	skip "no docker-compose"
fi
run -q -- sh -c "docker run --rm $base true; docker run -d --name gone $base true >/dev/null; docker wait gone; docker inspect gone >/dev/null; docker rm gone" >/dev/null 2>&1
see "--rm leaves nothing behind" 'not get(ev[-1], "invigil.run.left_behind.objects")'
run -q -- sh -c "docker create --name left $base true; docker volume create left-v; docker network create left-n" >/dev/null
see "what is not removed is listed" 'all(any(w in str(o) for o in get(ev[-1], "invigil.run.left_behind.objects")) for w in ("left", "left-v", "left-n"))'
run -q -- sh -c "docker build -q --no-cache '$work/context' >'$work/id'; docker rmi \$(docker build -q --no-cache '$work/context')" >/dev/null
see "an image without a name that is not removed is listed, and another that is removed is not" \
	"get(ev[-1], 'invigil.run.left_behind.objects') == ['image $(sed 's/sha256:\(.\{12\}\).*/\1/' "$work/id")']"
run -q -- curl -s -o "$work/out" --unix-socket "$sock" -X POST -H 'Content-Type: application/json' -d '{"CheckpointID":"cp1"}' "http://localhost/v1.41/containers/left/checkpoints"
checkpoint_owner() {
	echo "[get(e, 'invigil.docker.owner') for e in ev if 'checkpoints' in get(e, 'url.path', '') and get(e, 'event.kind') == 'event']"
}
see "a checkpoint is a call about its container, which is foreign" "$(checkpoint_owner) == ['foreign']"
run -q -- sh -c "docker create --name held $base true; curl -s --unix-socket $sock -X POST -H 'Content-Type: application/json' -d '{\"CheckpointID\":\"cp1\"}' http://localhost/v1.41/containers/held/checkpoints; docker rm held" >"$work/out" 2>&1
see "near miss: or its own" "$(checkpoint_owner) == ['own']"

foreign "an image of an earlier run, by name" "docker tag $base x:1 && docker rmi x:1; docker rmi -f made-before:1 $base"
docker load -qi "$work/saved.tar" >/dev/null
foreign "an image of an earlier run, by its id, which the run gave a name" "docker tag saved:1 mine:1 && docker rmi -f \$(docker images -q saved:1)"
"$root/tests/lib/base-image.sh" "$sock" $base
foreign "a container of an earlier run" "docker rm left"
docker run -d --name up --network none $base sleep 300 >/dev/null
foreign "a container that is killed" "docker kill up"
docker start up >/dev/null
foreign "a container that is stopped" "docker stop -t 0 up"
docker rm up >/dev/null
own "a container that is stopped, started again and killed" \
	"docker run -d --name up --network none $base sleep 300 && docker stop -t 0 up && docker start up && docker kill up && docker rm up"
foreign "a volume" "docker volume rm left-v"
foreign "a network, by the beginning of its id" "docker network rm $(docker network ls -q --filter name=left-n)"
docker create --name again $base true >/dev/null
foreign "a name that the run had, taken by another" "docker create --name mine $base true && docker rm mine && DOCKER=x docker rm again"

# ---- containers that a build leaves, and its cache (R9.3) ----
mkdir "$work/fails"
printf 'FROM %s\nRUN true %s\nRUN false\n' $base $$ >"$work/fails/Dockerfile"
alive() { # OF: how many containers the run has left
	echo "[o for o in get(ev[-1], 'invigil.run.left_behind.objects') or [] if 'container' in str(o)]"
}
run -q -- docker build --no-cache "$work/fails" >"$work/out" 2>&1
see "the container of a step that failed is left behind" "len($(alive)) == 1"
docker container prune -f >/dev/null
run -q -- docker build --force-rm --no-cache "$work/fails" >"$work/out" 2>&1
see "near miss: when its builder is to remove it" "action('image-build') and $(alive) == []"
prune="docker container prune -f"
for how in "" -q; do
	run -q -- sh -c "docker build $how --no-cache '$work/fails'; $prune" >"$work/out" 2>&1
	see "own: the container of a step that failed, by a prune${how:+ after a quiet build}" \
		"['removed 1 own object' in get(e, 'invigil.evidence') for e in alerts('R9.5')] == [True] and not alerts('R9.3') and $(alive) == []"
	docker create $base true >/dev/null
	run -q -- sh -c "docker build $how --no-cache '$work/fails'; $prune" >"$work/out" 2>&1
	see "foreign: one of others with it${how:+ after a quiet build}" \
		"['removed 1 object not known' in get(e, 'invigil.evidence') for e in alerts('R9.3')] == [True]"
done
printf 'FROM %s\nRUN true %s\nRUN sleep 1000\n' $base $$ >"$work/fails/Dockerfile"
cat >"$work/meanwhile" <<SH
docker build --rm=false --no-cache "$work/fails" &
until docker ps -aq -f status=exited | grep -q . && docker ps -q | grep -q .; do sleep 0.1; done
$prune
docker kill \$(docker ps -q)
wait
SH
run -q -- sh "$work/meanwhile" >"$work/out" 2>&1
see "own: the container of a step that is over, by a prune while its build goes on" \
	"['removed 1 own object' in get(e, 'invigil.evidence') for e in alerts('R9.5')] == [True] and not alerts('R9.3') and len($(alive)) == 1"
$prune >/dev/null
# A step may print what its builder would say of another's container.
other=$(docker create $base true)
cat >"$work/fails/Dockerfile" <<DOCKERFILE
FROM $base
RUN echo 'Step 3/3 : RUN true'; echo ' ---> Running in ${other:0:12}'
RUN true
DOCKERFILE
run -q -- sh -c "docker build --no-cache '$work/fails'; $prune" >"$work/out" 2>&1
see "near miss: another's container, whose id a step prints, is not its own" "alerts('R9.3') and not alerts('R9.5')"
DOCKER_BUILDKIT=1 /usr/bin/docker build -q --no-cache "$work/context" >/dev/null 2>&1
run -q -- docker builder prune -af >"$work/out"
see "a build cache, whose may be anybody's (R9.3)" "['not known as the run' in get(e, 'invigil.evidence') for e in alerts('R9.3')] == [True]"
run -q -- docker builder prune -af >"$work/out"
see "near miss: there is none any more (R9.5)" "['nothing to remove' in get(e, 'invigil.evidence') for e in alerts('R9.5')] == [True] and not alerts('R9.3')"

# ---- networks that every engine has ----
run -q -- docker network inspect bridge host none >"$work/out"
see "R7.4, near miss: the engine's own networks" "len(action('network-inspect')) == 3 and not alerts('R7.4')"
docker run -d --name others --network none $base sleep 300 >/dev/null
run -q -- docker network inspect bridge host none >"$work/out"
see "R7.4: one that tells of a container of others" "['foreign none' in get(e, 'invigil.evidence') for e in alerts('R7.4')] == [True]"
docker network create others-n >/dev/null
run -q -- docker network inspect others-n >"$work/out"
see "R7.4: a network of others" "len(alerts('R7.4')) == 1"
finish
