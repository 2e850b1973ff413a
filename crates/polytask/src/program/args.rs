//! What can be typed?

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use polytask::spec::Override;

/// Multi-task learning: one model, many tasks, and proof that sharing helped.
#[derive(Debug, Parser)]
#[command(version, about, long_about = None, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 command or config wrong, 3 data wrong, 4 training diverged, \
                        130 interrupted and resumable.\nStart with `polytask demo`.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train, evaluate and predict on generated data: no files, no network
    Demo(DemoArgs),
    /// Look at data and write a config that trains on it
    Init(InitArgs),
    /// Report everything that would go wrong, else what a run would do
    Check(CheckArgs),
    /// Train the network that a config describes
    Train(TrainArgs),
    /// Train the runs that `[study]` describes and tell what should be shared
    Study(StudyArgs),
    /// Score a trained model on a split of its datasets
    Eval(EvalArgs),
    /// Predict lines, CoNLL columns, JSON lines or tables, as JSON lines or CSV
    Predict(PredictArgs),
    /// Fetch known datasets and word vectors, or say what files hold
    Data(DataArgs),
    /// Show what a run or a study taught: one HTML page, or the same as text or JSON
    Report(ReportArgs),
    /// List what a config can name
    List(ListArgs),
    /// Print the config's JSON Schema, for editors
    Schema,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where data, config and run are written
    #[arg(long, default_value = "polytask-demo", value_name = "DIR")]
    pub out: PathBuf,
    /// Run a study of tasks whose answer is known instead
    #[arg(long)]
    pub study: bool,
}

/// Options of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Files or folders of data; several give several tasks that share one network
    #[arg(required = true, value_name = "DATA")]
    pub data: Vec<PathBuf>,
    /// The config to write
    #[arg(long, short, default_value = "polytask.toml", value_name = "FILE")]
    pub output: PathBuf,
    /// Word vectors that the network starts from
    #[arg(long, value_name = "FILE")]
    pub vectors: Option<PathBuf>,
    /// Replace the config if there is one
    #[arg(long)]
    pub force: bool,
}

/// What `data` does.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: DataCommand,
}

/// The commands of `data`.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// List known datasets and word vectors
    List {
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Fetch a known dataset or word vectors, or any file by its address
    Get {
        /// A name that `polytask data list` shows, or an address that begins with https://
        name: String,
        /// The folder to fetch into; the system's folder for caches where absent
        #[arg(long, env = "POLYTASK_CACHE", value_name = "DIR")]
        to: Option<PathBuf>,
        /// Seconds without a byte after which a server is asked again
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600), value_name = "SECONDS")]
        stall: u64,
    },
    /// Read a file or folder and say what it holds
    Inspect {
        /// The file or folder
        path: PathBuf,
        /// Print JSON instead of tables
        #[arg(long)]
        json: bool,
    },
}

/// A config and where its data lies.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// The config file
    pub file: PathBuf,
    /// Change a key of the config, as in `--set train.epochs=5`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<Override>,
    /// Where data files are looked for, after the config's own folder
    #[arg(long, env = "POLYTASK_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The config.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,
}

/// Options of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The config.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The run directory to write; runs/NAME where absent
    #[arg(long, value_name = "RUN")]
    pub out: Option<PathBuf>,
    /// Go on from the run's last checkpoint
    #[arg(long)]
    pub resume: bool,
}

/// Options of `study`.
#[derive(Debug, Args)]
pub struct StudyArgs {
    /// The config.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The study directory to write; studies/NAME where absent
    #[arg(long, value_name = "STUDY")]
    pub out: Option<PathBuf>,
    /// Go on with a study: complete runs are passed over, others go on
    #[arg(long)]
    pub resume: bool,
    /// Print study.json instead of tables
    #[arg(long)]
    pub json: bool,
}

/// Options of `eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// A run directory, or a model directory
    pub run: PathBuf,
    /// Which examples to score
    #[arg(long, value_enum, default_value_t = Split::Test)]
    pub split: Split,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Where the data files are looked for
    #[arg(long, env = "POLYTASK_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// A split of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Split {
    /// What was trained on.
    Train,
    /// What decided about stopping and the kept model.
    Valid,
    /// What nothing was decided on.
    Test,
}

/// Options of `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// A run directory, or a model directory
    pub run: PathBuf,
    /// The task that predicts
    #[arg(long)]
    pub task: String,
    /// What to read; standard input where absent
    pub file: Option<PathBuf>,
    /// How the input is written; told from the file's name where absent, else lines
    #[arg(long, value_enum)]
    pub format: Option<InputFormat>,
    /// How predictions are written
    #[arg(long = "to", value_enum, default_value_t = OutputFormat::Jsonl, value_name = "FORMAT")]
    pub output: OutputFormat,
}

/// How predictions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// One object a line.
    Jsonl,
    /// One row a text, below a row that names the columns.
    Csv,
}

/// How prediction input is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// One text a line.
    Lines,
    /// One token a line in the first column, a blank line after each sentence.
    Conll,
    /// One object a line with `text`, or `tokens`, and an optional `id`; with both texts where the task compares two.
    Jsonl,
    /// Cells separated by commas, below a row that names the columns.
    Csv,
    /// Cells separated by tabs, below a row that names the columns.
    Tsv,
}

/// Options of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A run directory, complete or not, or that of a study
    pub run: PathBuf,
    /// The page to write; RUN/report.html where absent
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print tables instead of writing a page
    #[arg(long, conflicts_with = "out")]
    pub text: bool,
    /// Print JSON instead of writing a page
    #[arg(long, conflicts_with_all = ["out", "text"])]
    pub json: bool,
}

/// Options of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Which catalogue
    #[arg(value_enum)]
    pub catalogue: Catalogue,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// The catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Catalogue {
    /// How tasks are traded off.
    Balancers,
    /// Layers of encoders.
    Encoders,
    /// How tokens become one vector.
    Pools,
    /// Which parameters belong to whom.
    Sharing,
    /// Kinds of prediction.
    Tasks,
    /// How predictions are judged.
    Metrics,
    /// Formats of datasets.
    Readers,
    /// How weights are updated.
    Optimizers,
    /// How the learning rate falls.
    Schedules,
    /// Which dataset each step draws from.
    Sampling,
}
