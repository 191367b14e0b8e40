//! What `spandrel bench msm --plot` draws: a job over its time, and efficiency over sizes.

use super::error::CliError;
use crate::workload::Distribution;
use plotters::prelude::*;
use serde::Serialize;
use spandrel_driver::Sample;

/// Width and height of the drawing, in pixels.
const SIZE: (u32, u32) = (1000, 1000);
/// Lines, in the order of the distributions.
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 90, 160), RGBColor(200, 80, 0), RGBColor(0, 130, 90), RGBColor(150, 40, 130)];

/// Additions per cycle over the time of a job.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Timeline {
    /// For each interval between two samples: the cycle of its end, counted from the sample before the first addition,
    /// and the additions per cycle in it.
    intervals: Vec<(u64, f64)>,
}

impl Timeline {
    /// The timeline of samples that were taken from before a job's start on. The engine shows the last job's additions
    /// until the next one starts.
    pub(super) fn of(samples: &[Sample]) -> Timeline {
        let Some(first) = samples.first() else { return Timeline::default() };
        let Some(start) = samples.iter().position(|sample| sample.additions != first.additions) else {
            return Timeline::default();
        };
        let before = samples[start - 1].cycles;
        let mut last = Sample { cycles: before, additions: 0 };
        let mut intervals = Vec::new();
        for sample in &samples[start..] {
            let cycles = sample.cycles.saturating_sub(last.cycles);
            if cycles > 0 {
                // The counter has 32 bits and goes around.
                let additions = sample.additions.wrapping_sub(last.additions);
                intervals.push((sample.cycles - before, f64::from(additions) / cycles as f64));
                last = *sample;
            }
        }
        Timeline { intervals }
    }
}

/// How well a job kept the card's adders busy.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Efficiency {
    /// Distribution of the scalars.
    #[serde(serialize_with = "super::bench::distribution_name")]
    pub(super) scalars: Distribution,
    /// Number of points.
    pub(super) points: usize,
    /// Bits per window.
    pub(super) window_bits: u32,
    /// Additions per cycle of one adder, over the whole job.
    pub(super) additions_per_cycle_per_adder: f64,
    /// Engine cycles times adders over non-zero digits.
    pub(super) cycles_per_digit: f64,
}

/// Everything that is drawn.
pub(super) struct Drawing<'a> {
    /// Card and job of the timeline.
    pub(super) title: String,
    /// Point adders of the card: the most additions in a cycle.
    pub(super) adders: u32,
    pub(super) timeline: &'a Timeline,
    /// Ordered by distribution and size.
    pub(super) efficiency: &'a [Efficiency],
}

impl Drawing<'_> {
    /// The drawing as SVG.
    pub(super) fn svg(&self) -> Result<String, CliError> {
        let mut svg = String::new();
        self.draw(&mut svg)
            .map_err(|error| CliError::Other(format!("the charts cannot be drawn: {error}")))?;
        Ok(svg)
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (upper, lower) = area.split_vertically(SIZE.1 / 2);

        let cycles = self.timeline.intervals.last().map_or(1, |(cycle, _)| *cycle).max(1);
        let mut chart = ChartBuilder::on(&upper)
            .caption(&self.title, ("sans-serif", 20))
            .margin(15)
            .x_label_area_size(45)
            .y_label_area_size(65)
            .build_cartesian_2d(0..cycles, 0.0..f64::from(self.adders) * 1.05)?;
        chart.configure_mesh().x_desc("cycles of the job").y_desc("additions per cycle").draw()?;
        // Constant within an interval.
        let mut from = 0;
        let steps = self.timeline.intervals.iter().flat_map(|(to, rate)| {
            let step = [(from, *rate), (*to, *rate)];
            from = *to;
            step
        });
        chart.draw_series(LineSeries::new(steps.collect::<Vec<_>>(), COLOURS[0]))?;

        let sizes = self.efficiency.iter().map(|at| (at.points.max(1) as f64).log2());
        let (least, most) =
            sizes.fold((f64::INFINITY, 0.0f64), |(least, most), at| (least.min(at), most.max(at)));
        let least = least.min(most);
        let mut chart = ChartBuilder::on(&lower)
            .caption("Additions per cycle and adder, whole jobs", ("sans-serif", 20))
            .margin(15)
            .x_label_area_size(45)
            .y_label_area_size(65)
            .build_cartesian_2d(least - 0.25..most + 0.25, 0.0..1.05)?;
        chart
            .configure_mesh()
            .x_desc("points")
            .x_label_formatter(&|log| format!("2^{log:.0}"))
            .y_desc("additions per cycle and adder")
            .draw()?;
        for (line, colour) in
            self.efficiency.chunk_by(|a, b| a.scalars == b.scalars).zip(COLOURS.iter().cycle())
        {
            let place =
                |at: &Efficiency| ((at.points.max(1) as f64).log2(), at.additions_per_cycle_per_adder);
            let name = format!("{:?}", line[0].scalars).to_lowercase();
            chart
                .draw_series(LineSeries::new(line.iter().map(place), colour).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour));
        }
        // Efficiency grows with the size: the upper left is free.
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .border_style(BLACK)
            .background_style(WHITE)
            .draw()?;
        area.present()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(of: &[(u64, u32)]) -> Vec<Sample> {
        of.iter().map(|(cycles, additions)| Sample { cycles: *cycles, additions: *additions }).collect()
    }

    #[test]
    fn a_timeline_begins_with_the_job_and_counts_around() {
        // 77 is what the job before left.
        let timeline =
            Timeline::of(&samples(&[(100, 77), (200, 77), (300, 50), (400, 150), (400, 150), (500, 150)]));
        assert_eq!(timeline.intervals, [(100, 0.5), (200, 1.0), (300, 0.0)]);
        let around = Timeline::of(&samples(&[(0, 0), (10, u32::MAX), (20, 4)]));
        assert_eq!(around.intervals[1], (20, 0.5));
        assert_eq!(Timeline::of(&samples(&[(1, 5), (2, 5)])), Timeline::default());
        assert_eq!(Timeline::of(&[]), Timeline::default());
    }

    #[test]
    fn drawings_hold_both_charts_and_every_line() {
        let of = |scalars, points| Efficiency {
            scalars,
            points,
            window_bits: 8,
            additions_per_cycle_per_adder: 0.5,
            cycles_per_digit: 2.0,
        };
        let efficiency = [
            of(Distribution::Uniform, 256),
            of(Distribution::Uniform, 1024),
            of(Distribution::Witness, 256),
            of(Distribution::Witness, 1024),
        ];
        let timeline = Timeline::of(&samples(&[(0, 0), (10, 5), (20, 15)]));
        let title = "a job".to_owned();
        let svg = Drawing { title, adders: 2, timeline: &timeline, efficiency: &efficiency }.svg().unwrap();
        for text in ["<svg", "a job", "uniform", "witness", "additions per cycle and adder", "2^10"] {
            assert!(svg.contains(text), "{text} is missing in {svg}");
        }
        assert!(svg.matches("<polyline").count() >= 3, "{svg}");
        // Nothing to draw is drawn, too.
        let none = Timeline::default();
        Drawing { title: String::new(), adders: 1, timeline: &none, efficiency: &[] }.svg().unwrap();
    }
}
