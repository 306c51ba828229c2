#!/bin/bash
# The pipeline as a job of SLURM, on several nodes: docs/cluster.md. Submit it from the project's folder, which they share.
#SBATCH --job-name=winnow
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=12:00:00
set -euo pipefail
cd "$SLURM_SUBMIT_DIR"
source .venv/bin/activate

head=$SLURMD_NODENAME                  # this script runs on the first node
port=$((20000 + SLURM_JOB_ID % 10000)) # two jobs may share a node
others=$((SLURM_JOB_NUM_NODES - 1))
export WINNOW_CLUSTER="$head:$port"
export RAY_gcs_rpc_server_reconnect_timeout_s=5
node=(ray start --block --disable-usage-stats "--num-cpus=$SLURM_CPUS_PER_TASK")
trap 'kill $(jobs -p) 2> /dev/null' EXIT

srun --overlap --nodes=1 --ntasks=1 --nodelist="$head" \
    "${node[@]}" --head --port="$port" --include-dashboard=false --temp-dir="/tmp/ray-$SLURM_JOB_ID" > /dev/null &
for _ in {1..120}; do
    ray health-check --address "$WINNOW_CLUSTER" 2> /dev/null && break
    sleep 1
done
if ((others)); then
    srun --overlap --nodes="$others" --ntasks="$others" --exclude="$head" \
        "${node[@]}" --address="$WINNOW_CLUSTER" > /dev/null &
fi

python -m winnow.repro
