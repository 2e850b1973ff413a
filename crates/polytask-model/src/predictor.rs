//! How is a saved model used? A model directory becomes typed predictions.

use std::ops::Range;
use std::path::Path;

use burn::tensor::Device;
use polytask_data::batches::inference_batches;
use polytask_data::interner::Interner;
use polytask_data::load::{TextOptions, kept};
use polytask_data::subwords::SubwordsError;
use polytask_data::table::{Examples, Ragged};
use polytask_data::tokenize::tokenize;
use polytask_kernels::threads;
use polytask_spec::network::Input as InputSpec;
use polytask_spec::task::TaskKind;

use crate::head::{Knowledge, Prediction};
use crate::input::{Feed, InputKnowledge};
use crate::parameters::TaskId;
use crate::pass::{Mode, Pass};
use crate::saved::{Saved, SavedError, load};

/// A model that is ready to predict.
#[derive(Debug)]
pub struct Predictor {
    saved: Saved,
}

impl Predictor {
    /// Loads a model directory.
    ///
    /// # Errors
    ///
    /// Where a file is missing, damaged or of a later format.
    pub fn open(directory: &Path, device: Device) -> Result<Predictor, SavedError> {
        Ok(Predictor { saved: load(directory, device)? })
    }

    /// What was loaded.
    pub fn saved(&self) -> &Saved {
        &self.saved
    }

    /// The task of a name.
    pub fn task(&self, name: &str) -> Option<TaskId> {
        self.saved.spec.task.get_index_of(name).map(TaskId)
    }

    /// What a task's head knows: its classes, scale or tags.
    pub fn knowledge(&self, task: TaskId) -> &Knowledge {
        &self.saved.description.tasks[task.0]
    }

    /// The words of a text as the task's input cuts it, each with its byte range; a word may be written otherwise than in
    /// the text (apostrophes). Where the input has a tokenizer, these are its tokens.
    ///
    /// # Errors
    ///
    /// Where the input's tokenizer cannot cut the text.
    pub fn words(&self, task: TaskId, text: &str) -> Result<Vec<(Range<usize>, String)>, SubwordsError> {
        let mut words = Vec::new();
        let each = |range: Range<usize>, word: &str| words.push((range, word.to_owned()));
        match self.input(task).tokenizer() {
            None => tokenize(text, self.text_options(task).tokenize, each),
            Some(tokenizer) => tokenizer.cut(text, each)?,
        }
        Ok(words)
    }

    /// Words that are given apart, as the task's input reads them: as they are, or cut again by its tokenizer.
    ///
    /// # Errors
    ///
    /// Where the input's tokenizer cannot cut them.
    pub fn given_words(&self, task: TaskId, words: &[String]) -> Result<Vec<String>, SubwordsError> {
        match self.input(task).tokenizer() {
            None => Ok(words.to_vec()),
            Some(_) => Ok(self.words(task, &words.join(" "))?.into_iter().map(|(_, word)| word).collect()),
        }
    }

    /// Whether a text of this many words is cut before it is predicted.
    pub fn is_cut(&self, task: TaskId, words: usize) -> bool {
        words > self.text_options(task).max_tokens
    }

    /// Predictions for some texts, one a text and in their order, each given as the words that [`Self::words`] or
    /// [`Self::given_words`] finds.
    ///
    /// Texts longer than the input's `max_tokens` are cut as in training ([`Self::is_cut`]), never for tagging. A text without words is
    /// predicted from no evidence, and has no tags.
    ///
    /// # Panics
    ///
    /// Where the task compares two texts ([`Self::pair`]).
    pub fn predict<S: AsRef<str> + Sync>(&self, task: TaskId, texts: &[Vec<S>]) -> Vec<Prediction> {
        assert!(self.pair(task).is_none(), "a task that compares two texts predicts pairs");
        let mut words = Interner::new();
        let tokens = self.interned(task, texts.iter(), &mut words);
        self.predict_examples(task, &Examples::of_tokens(tokens), &words)
    }

    /// The columns of the two texts that a task compares; `None` where it reads one text.
    pub fn pair(&self, task: TaskId) -> Option<[&str; 2]> {
        self.saved.spec.pair_of(&self.saved.spec.task[task.0])
    }

    /// Predictions for some pairs of texts, as [`Self::predict`] makes them for single ones.
    ///
    /// # Panics
    ///
    /// Where the task reads one text ([`Self::pair`]).
    pub fn predict_pairs<S: AsRef<str> + Sync>(&self, task: TaskId, pairs: &[[Vec<S>; 2]]) -> Vec<Prediction> {
        let [_, name] = self.pair(task).expect("a task that reads one text predicts single texts");
        let mut words = Interner::new();
        let first = self.interned(task, pairs.iter().map(|[first, _]| first), &mut words);
        let second = self.interned(task, pairs.iter().map(|[_, second]| second), &mut words);
        self.predict_examples(task, &Examples::of_pairs(first, name, second), &words)
    }

    /// What the network makes of some texts up to where the task's head reads, a vector a text and in their order: as the head
    /// reads it, or the mean over tokens where it reads these. Texts are given, and cut, as for [`Self::predict`]; a task that
    /// compares two texts has such a vector for each of them.
    pub fn representations<S: AsRef<str> + Sync>(&self, task: TaskId, texts: &[Vec<S>]) -> Vec<Vec<f32>> {
        let mut words = Interner::new();
        let tokens = self.interned(task, texts.iter(), &mut words);
        self.of_examples(task, (&Examples::of_tokens(tokens), &words), |pass, feed| {
            let values = self.saved.model.representation(pass, feed, task);
            let dim = values.dims()[1];
            let values: Vec<f32> = values.into_data().try_into_vec().expect("representations are f32");
            values.chunks_exact(dim.max(1)).map(<[f32]>::to_vec).collect()
        })
    }

    /// The words of texts, as far as they are kept.
    fn interned<'a, S: AsRef<str> + 'a>(
        &self,
        task: TaskId,
        texts: impl Iterator<Item = &'a Vec<S>>,
        words: &mut Interner,
    ) -> Ragged<u32> {
        let options = self.text_options(task);
        let mut tokens = Ragged::new();
        for text in texts {
            let ids: Vec<u32> = kept(text.len(), &options)
                .into_iter()
                .flat_map(|range| &text[range])
                .map(|word| words.intern(word.as_ref()))
                .collect();
            tokens.push(&ids);
        }
        tokens
    }

    fn predict_examples(&self, task: TaskId, examples: &Examples, words: &Interner) -> Vec<Prediction> {
        let model = &self.saved.model;
        self.of_examples(task, (examples, words), |pass, feed| {
            let scores = model.infer(pass, feed, &[task]).remove(0);
            model.head(task).predict(pass, &scores)
        })
    }

    /// What `of_batch` says of each example, in their order; it is asked for batches of about one length.
    fn of_examples<T: Send>(
        &self,
        task: TaskId,
        (examples, words): (&Examples, &Interner),
        of_batch: impl Fn(&Pass<'_>, Feed<'_>) -> Vec<T> + Sync,
    ) -> Vec<T> {
        if examples.is_empty() {
            return Vec::new();
        }
        let model = &self.saved.model;
        let prepared = self.input(task).prepare(words);
        threads::inside(|| {
            let mut found: Vec<Option<T>> = (0..examples.len()).map(|_| None).collect();
            for index in inference_batches(&examples.lengths()) {
                let pass = Pass::new(&model.parameters, Mode::Infer);
                let feed = Feed { examples, prepared: &prepared, index: &index };
                for (&text, of_text) in index.iter().zip(of_batch(&pass, feed)) {
                    found[text as usize] = Some(of_text);
                }
            }
            found.into_iter().map(|of_text| of_text.expect("every text is in one batch")).collect()
        })
    }

    fn input(&self, task: TaskId) -> &InputKnowledge {
        let Saved { spec, description, .. } = &self.saved;
        &description.inputs[spec.input_of(&spec.task[task.0])]
    }

    fn text_options(&self, task: TaskId) -> TextOptions {
        let spec = &self.saved.spec;
        let task = &spec.task[task.0];
        let InputSpec::Words(words) = &spec.input[spec.input_of(task)];
        // As in training: where any task tags the dataset, its texts are read whole.
        let tagged = spec.task.values().any(|other| other.data == task.data && matches!(other.kind, TaskKind::Tag(_)));
        TextOptions {
            tokenize: words.tokenize,
            max_tokens: if tagged { usize::MAX } else { words.max_tokens },
            truncate: words.truncate,
        }
    }
}
